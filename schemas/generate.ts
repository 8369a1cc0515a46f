/**
 * Generates `generated/` from the schemas: TypeScript types, and validators as plain functions, because compilation would slow every
 * cold start. Part of `npm run generate`. With `--check` it fails if the committed files differ.
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

const banner = '// Generated from the schemas by `npm run generate`. Do not edit.\n\n';

/**
 * Replaces references to other schema files by their targets, because the type generator reads one file at a time.
 * @param owner File that contains `value`, to which its local references are relative.
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

/** Returns a copy of a schema without descriptions, which the validators would contain as strings. */
function withoutDescriptions(schema: AnySchemaObject): AnySchemaObject {
  const isText = (key: string, value: unknown): boolean => key === 'description' && typeof value === 'string';
  return JSON.parse(JSON.stringify(schema, (key, value: unknown) => (isText(key, value) ? undefined : value))) as AnySchemaObject;
}

function validators(): string {
  const ajv = new Ajv({
    code: { source: true, esm: true },
    allowUnionTypes: true,
    schemas: schemas.map(withoutDescriptions),
  });
  const code = standalone.default;
  const text = code(ajv, Object.fromEntries(schemas.map((schema) => [String(schema.$id), String(schema.$id)])));
  // Ajv writes this CommonJS require into ES modules too.
  const length = 'require("ajv/dist/runtime/ucs2length").default';
  // The default import of a CommonJS module differs between Node.js and Vitest.
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
    console.error(`schemas/generated/${file} does not match the schemas; run \`npm run generate\` and commit the result.`);
    process.exitCode = 1;
  } else await writeFile(url, text);
}
