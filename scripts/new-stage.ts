/** `npm run new-stage NAME [-- --consumes KIND]`: creates a stage that runs, and adds it to the pipeline. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { Kind } from '../schemas/kinds.ts';
import { graph } from '../services/pipeline.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { consumes: { type: 'string', default: 'transcript' } },
});
const [name = ''] = positionals;
const announced = graph.kinds.filter((kind) => kind.announced);
const consumed = announced.find((kind) => kind.name === values.consumes);
const home = new URL(`../services/${name}/`, import.meta.url);

if (!/^[a-z][a-z0-9-]{1,40}$/.test(name)) usage(name ? `invalid stage name ${name}` : 'missing stage name');
if (!consumed) usage(`unknown kind ${values.consumes}`);
if (existsSync(home)) usage(`services/${name} exists already`);

const product = name.replace(/^stage-/, '');
await mkdir(home);
await writeFile(new URL('stage.ts', home), source(consumed));

const pipeline = new URL('../services/pipeline.ts', import.meta.url);
const importLine = `import ${camelCase(name)} from './${name}/stage.ts';\n`;
const listLine = `    ${camelCase(name)}, //`.padEnd(28) + `${consumed.name.padEnd(10)} → ${product}\n`;
const extended = (await readFile(pipeline, 'utf8'))
  .replace(/\n(?=\/\*\*)/, `${importLine}\n`)
  .replace(/^ {2}\],$/m, `${listLine}  ],`);
await writeFile(pipeline, extended);

console.log(`services/${name}/stage.ts  created
services/pipeline.ts${' '.repeat(Math.max(1, name.length - 1))}stage added

\`npm start\` creates its consumer; each new ${consumed.name} is then delivered to it.`);

/** Returns the source of a stage that stores the field names of a JSON item, or the size of any other. */
function source(kind: Kind): string {
  const folder = kind.key.includes('{clip}') ? 'clip_{clip}/' : '';
  const [statement, result] =
    kind.schema === undefined
      ? ['const { size } = item;', 'size']
      : ['const fields = Object.keys((await item.json()) as object);', 'fields'];
  return `import { kinds, type Kind } from '../../schemas/kinds.ts';
import { defineStage } from '../../shared/pipeline/stage.ts';

/** The output of this stage. It is announced, so that another stage can consume it. */
const ${camelCase(product)} = {
  name: '${product}',
  key: '${name}/${folder}${product}.json',
  contentType: 'application/json',
  announced: true,
} as const satisfies Kind;

/** Describe in one sentence what this stage computes from each ${kind.name}. */
export default defineStage({
  name: '${name}',
  version: 1,
  consumes: kinds.${kind.name},
  produces: [${camelCase(product)}],

  async run(item, { outputs }) {
    ${statement}
    await outputs.json(${camelCase(product)}, { ${result} });
  },
});
`;
}

function camelCase(text: string): string {
  return text.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

function usage(problem: string): never {
  const kindNames = announced.map((kind) => kind.name).join(', ');
  console.error(
    `new-stage: ${problem}\nUsage: npm run new-stage NAME [-- --consumes KIND]\nNAME: lower-case letters, digits, dashes. KIND: ${kindNames}.`,
  );
  process.exit(2);
}
