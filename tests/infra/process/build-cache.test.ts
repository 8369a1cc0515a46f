import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { buildOnce } from '../../../infra/process/build-cache.ts';
import { createTempDir } from '../../support/temp-dir.ts';

test('creates a file once for concurrent callers and leaves no other files', async () => {
  const dir = createTempDir();
  const target = join(dir, 'program');
  const lines: string[] = [];
  const make = async (scratch: string): Promise<string> => {
    // Concurrent callers find the lock and report it before the file is complete.
    while (!lines.some((line) => line.startsWith('waiting'))) await new Promise(setImmediate);
    await writeFile(join(scratch, 'made'), 'text');
    return join(scratch, 'made');
  };
  const get = (): Promise<string> => buildOnce(target, { description: 'making it', make }, (line) => lines.push(line));
  expect(await Promise.all([get(), get(), get()])).toEqual([target, target, target]);
  expect(await get()).toBe(target);
  expect(lines.filter((line) => line === 'making it …')).toHaveLength(1);
  expect([await readFile(target, 'utf8'), await readdir(dir)]).toEqual(['text', ['program']]);
});

test('leaves nothing after a failure, so that the next call succeeds', async () => {
  const dir = createTempDir();
  const target = join(dir, 'program');
  const half = async (scratch: string): Promise<string> => {
    await writeFile(join(scratch, 'made'), 'te');
    throw new Error('the disk is full');
  };
  const whole = async (scratch: string): Promise<string> => {
    await writeFile(join(scratch, 'made'), 'text');
    return join(scratch, 'made');
  };
  const get = (make: typeof half): Promise<string> => buildOnce(target, { description: 'making it', make }, () => undefined);
  await expect(get(half)).rejects.toThrow('the disk is full');
  expect(await readdir(dir)).toEqual([]);
  expect(await readFile(await get(whole), 'utf8')).toBe('text');
});
