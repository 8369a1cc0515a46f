import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { useSharedStack, uniqueId, type Stack } from '../support/stack.ts';
import { fave } from '../support/harness/run-cli.ts';
import { createTempDir } from '../support/temp-dir.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await useSharedStack();
});

it('downloads files with names of the maximum length', async () => {
  const dir = createTempDir();
  const id = uniqueId();
  const name = `${'a'.repeat(251)}.mp4`;
  await stack.store.put(`requests/${id}/input/${name}`, 'x');
  expect(await fave(['get', id, 'out'], { cwd: dir, env: stack.environment })).toMatchObject({ code: 0 });
  expect(await readdir(join(dir, 'out/input'))).toEqual([name]);
  expect(await readFile(join(dir, 'out/input', name), 'utf8')).toBe('x');
});

it('skips objects without a safe file name, names them and downloads the others', async () => {
  const dir = createTempDir();
  const id = uniqueId();
  await stack.store.put(`requests/${id}/input/folder/`, '');
  await stack.store.put(`requests/${id}/input/c.mp4`, 'y');
  const run = await fave(['get', id, 'out'], { cwd: dir, env: stack.environment });
  expect(run).toMatchObject({ code: 1, stdout: expect.stringMatching(/^\d files?, /) as unknown });
  expect(run.stderr).toContain('skipped');
  expect(await readdir(join(dir, 'out/input'))).toEqual(['c.mp4']);
});
