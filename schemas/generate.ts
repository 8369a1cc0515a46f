/**
 * Makes `generated/` from the schemas: TypeScript types, and validators as plain functions (compiling schemas when a
 * process starts would add to every cold start). Part of `npm run generate`; with `--check`, fails where what is committed differs.
 */
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { Ajv, type AnySchemaObject } from 'ajv';
import standalone from 'ajv/dist/standalone/index.js';
import { compile, type JSONSchema } from 'json-schema-to-typescript';

const here = new URL('./', import.meta.url);
const files = (await readdir(here, { recursive: true })).filter((file) => file.endsWith('.schema.json')).sort();
const schemas = await Promise.all(
  files.map(async (file) => JSON.parse(await readFile(new URL(file, here), 'utf8')) as AnySchemaObject),
);
const byId = new Map(schemas.map((schema) => [schema.$id, schema]));

const banner = '// Made by `npm run generate` from the schemas. Do not edit.\n\n';

/**
 * A reference into another schema file, replaced by what it refers to: the type generator reads one file at a time.
 * @param owner The other file that `value` comes from, whose own references are relative to it.
 */
function inline(value: unknown, owner?: AnySchemaObject): unknown {
  if (Array.isArray(value)) return value.map((each) => inline(each, owner));
  if (typeof value !== 'object' || value === null) return value;
  const ref = (value as { $ref?: unknown }).$ref;
  if (typeof ref === 'string' && (owner || !ref.startsWith('#'))) {
    const [id, name] = ref.split(/#(?:\/definitions\/)?/);
    const target = id ? byId.get(id) : owner;
    return inline(name ? (target?.['definitions'] as Record<string, unknown>)[name] : target, target);
  }
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, inline(child, owner)]));
}

async function types(): Promise<string> {
  const seen = new Set<string>();
  const parts: string[] = [];
  for (const schema of schemas) {
    const text = await compile(inline(schema) as JSONSchema, String(schema['title']), {
      bannerComment: '',
      style: { singleQuote: true, printWidth: 128 },
      unknownAny: true,
    });
    for (const part of text.split(/\n(?=(?:\/\*\*[\s\S]*?\*\/\n)?export )/)) {
      const name = /export (?:interface|type) (\w+)/.exec(part)?.[1];
      if (name && !seen.has(name)) parts.push(part.trim());
      if (name) seen.add(name);
    }
  }
  return `${banner}${parts.join('\n\n')}\n`;
}

function validators(): string {
  const ajv = new Ajv({ code: { source: true, esm: true }, allErrors: false, allowUnionTypes: true, schemas });
  const code = standalone.default;
  const text = code(ajv, Object.fromEntries(schemas.map((schema) => [String(schema.$id), String(schema.$id)])));
  // Ajv writes this one CommonJS require even into ES modules.
  const length = 'require("ajv/dist/runtime/ucs2length").default';
  // What a CommonJS module's default import is differs between Node and Vitest.
  const imported =
    "import ucs2length from 'ajv/dist/runtime/ucs2length.js';\n\nconst length = ucs2length.default ?? ucs2length;\n";
  return `${banner}${imported}${text.replaceAll(length, 'length')}\n`;
}

function declarations(): string {
  const lines = schemas.map(
    (schema) => `export const ${String(schema.$id)}: ValidateFunction<types.${String(schema['title'])}>;`,
  );
  return `${banner}import type { ValidateFunction } from 'ajv';\nimport type * as types from './types.ts';\n\n${lines.join('\n')}\n`;
}

const outputs = { 'types.ts': await types(), 'validators.mjs': validators(), 'validators.d.mts': declarations() };
const check = process.argv.includes('--check');
for (const [file, text] of Object.entries(outputs)) {
  const url = new URL(`generated/${file}`, here);
  const committed = await readFile(url, 'utf8').catch(() => '');
  if (committed === text) continue;
  if (check) {
    console.error(`schemas/generated/${file} does not match the schemas: run \`npm run generate\` and commit the result.`);
    process.exitCode = 1;
  } else await writeFile(url, text);
}
