import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { useSharedStack, uniqueId, type Stack } from '../support/stack.ts';
import { fave } from '../support/harness/run-cli.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await useSharedStack();
});

it('downloads files with names of the maximum length', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'fave-get-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const id = uniqueId();
  const name = `${'a'.repeat(251)}.mp4`;
  await stack.store.put(`requests/${id}/input/${name}`, 'x');
  expect(await fave(['get', id, 'out'], { cwd: dir, env: stack.environment })).toMatchObject({ code: 0 });
  expect(await readdir(join(dir, 'out/input'))).toEqual([name]);
  expect(await readFile(join(dir, 'out/input', name), 'utf8')).toBe('x');
});
