import { execFile } from 'node:child_process';
import { cp, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { createTempDir } from '../support/temp-dir.ts';
import { failure } from '../support/harness/run-cli.ts';

const run = promisify(execFile);
const root = new URL('../../', import.meta.url).pathname;
const copy = createTempDir();

/** The script writes into the sources, so it runs on a copy of them. */
beforeAll(async () => {
  for (const folder of ['schemas', 'shared', 'services', 'scripts'])
    await cp(join(root, folder), join(copy, folder), { recursive: true });
  for (const file of ['package.json', 'tsconfig.json']) await cp(join(root, file), join(copy, file));
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
});

const node = (...args: string[]) => run(process.execPath, args, { cwd: copy });

test('adds a stage as one folder and two lines, which is in the graph and runs', async () => {
  const before = await readFile(join(copy, 'services/pipeline.ts'), 'utf8');
  await node('scripts/new-stage.ts', 'stage-loud-words', '--consumes', 'transcript');

  const after = await readFile(join(copy, 'services/pipeline.ts'), 'utf8');
  expect(after.split('\n').filter((line) => !before.split('\n').includes(line))).toHaveLength(2);

  const script = `
    import { graph } from './services/pipeline.ts';
    const stage = graph.stage('stage-loud-words');
    const made = [];
    const outputs = { json: async (kind, value) => { made.push([kind.key, value]); } };
    await stage.run({ json: async () => ({ text: 'hello', words: [] }) }, { outputs });
    console.log(JSON.stringify({ consumers: graph.consumersOf('transcript').map(({ name }) => name), made }));
  `;
  await writeFile(join(copy, 'probe.ts'), script);
  const { stdout } = await node('probe.ts');
  expect(JSON.parse(stdout)).toEqual({
    consumers: ['stage-grep', 'stage-loud-words'],
    made: [['stage-loud-words/clip_{clip}/loud-words.json', { fields: ['text', 'words'] }]],
  });
});

test('rejects an existing name and an unknown kind, and states the valid ones', async () => {
  await expect(node('scripts/new-stage.ts', 'stage-grep')).rejects.toMatchObject(failure('exists already', 2));
  await expect(node('scripts/new-stage.ts', 'stage-x', '--consumes', 'smell')).rejects.toMatchObject(
    failure('unknown kind smell', 2),
  );
});
