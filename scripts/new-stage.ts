/** `npm run new-stage NAME [-- --consumes KIND]`: makes a stage that runs, and adds its line to the pipeline. */
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

if (!/^[a-z][a-z0-9-]{1,40}$/.test(name)) usage(name ? `${name} is no name for a stage.` : 'A stage needs a name.');
if (!consumed) usage(`There is no kind ${values.consumes}.`);
if (existsSync(home)) usage(`services/${name} exists already.`);

const product = name.replace(/^stage-/, '');
await mkdir(home);
await writeFile(new URL('stage.ts', home), source(consumed));

const pipeline = new URL('../services/pipeline.ts', import.meta.url);
const line = `  import('./${name}/stage.ts'), //`.padEnd(51) + `${consumed.name.padEnd(10)} → ${product}\n`;
await writeFile(pipeline, (await readFile(pipeline, 'utf8')).replace(/^\];$/m, `${line}];`));

console.log(`services/${name}/stage.ts  the stage, ready to run
services/pipeline.ts${' '.repeat(Math.max(1, name.length - 1))}its line

\`npm start\` makes its consumer; from then on every ${consumed.name} reaches it.`);

/** A stage that says of each item what there is to see without understanding it: the fields of JSON, the size of anything else. */
function source(kind: Kind): string {
  const folder = kind.key.includes('{clip}') ? 'clip_{clip}/' : '';
  const [look, found] =
    kind.schema === undefined
      ? ['const { size } = item;', 'size']
      : ['const fields = Object.keys((await item.json()) as object);', 'fields'];
  return `import { kinds, type Kind } from '../../schemas/kinds.ts';
import { defineStage } from '../../shared/pipeline/stage.ts';

/** What this stage makes. Another stage may consume it: it is announced. */
const ${camelCase(product)} = {
  name: '${product}',
  key: '${name}/${folder}${product}.json',
  contentType: 'application/json',
  announced: true,
} as const satisfies Kind;

/** What of each ${kind.name} this stage tells, in one sentence. */
export default defineStage({
  name: '${name}',
  version: 1,
  consumes: kinds.${kind.name},
  produces: [${camelCase(product)}],

  async run(item, { outputs }) {
    ${look}
    await outputs.json(${camelCase(product)}, { ${found} });
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
    `${problem}\nUsage: npm run new-stage NAME [-- --consumes KIND]\nNAME: lower-case letters, digits, dashes. KIND: ${kindNames}.`,
  );
  process.exit(2);
}
