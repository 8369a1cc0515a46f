import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { fillDisk, mountSmallDisk } from '../chaos/environment/disk.ts';
import { ToolError } from '../../../shared/tools/tool-error.ts';
import { PermanentError } from '../../../shared/core/errors.ts';
import { watchDisk } from '../../../shared/runtime/workdir/disk.ts';
import { requestMetadata, startGraph } from '../../support/harness/runtime.ts';
import { uniqueId, type Stack } from '../../support/stack.ts';
import { createTwoOutputGraph } from './fixture/graph.ts';
import { startTwoOutputStage } from './fixture/process.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startGraph(createTwoOutputGraph(), ['relay', 'tracker']);
});

const NO_DISK = 'this user may not mount a file system';

/** Mounts a disk of 1.5 MB until the end of the test; returns undefined if the user may not mount. */
async function createSmallDisk(): Promise<string | undefined> {
  const dir = mkdtempSync(join(tmpdir(), 'fave-disk-'));
  const disk = await mountSmallDisk(dir, 3 << 19);
  onTestFinished(async () => {
    await disk?.remove();
    rmSync(dir, { recursive: true, force: true });
  });
  return disk && dir;
}

it('retries an item until a full disk has space', async ({ skip }) => {
  const dir = await createSmallDisk();
  if (dir === undefined) return skip(NO_DISK);
  const release = await fillDisk(dir);
  const worker = await startTwoOutputStage(stack, { env: { FAVE_TMPDIR: dir } });
  const request = requestMetadata(stack, uniqueId());
  await request.put('sample', { memo: 'false' });
  expect(await worker.logged('item:retry')).toMatchObject({ code: 'disk-full' });
  await release();
  expect(await request.ended()).toMatchObject({
    status: 'completed',
    errors: [],
    stages: { 'two-outputs': { done: 1, failed: 0 } },
  });
  expect(await request.deadLetters('two-outputs')).toEqual([]);
  await worker.kill('SIGTERM');
});

it('explains a failure by a full disk only if the disk was full during the attempt', async ({ skip }) => {
  const dir = await createSmallDisk();
  if (dir === undefined) return skip(NO_DISK);
  const failure = new ToolError({ command: 'ffmpeg', args: [], exitCode: 1 });
  const disk = watchDisk(dir);
  onTestFinished(disk.stop);
  expect(await disk.explainError(failure)).toBe(failure);
  await disk.assertWritten('');
  const release = await fillDisk(dir);
  expect(await disk.explainError(failure)).toMatchObject({ code: 'disk-full', cause: failure });
  await release();
  expect(await disk.explainError(failure)).toMatchObject({ code: 'disk-full' });
  await expect(disk.assertWritten('')).rejects.toMatchObject({ code: 'disk-full' });
});

it('recognises ENOSPC after space is available again', async () => {
  const disk = watchDisk(tmpdir());
  onTestFinished(disk.stop);
  const [noSpace, other] = [
    Object.assign(new Error('write failed'), { code: 'ENOSPC' }),
    new PermanentError('no-content', 'bad'),
  ];
  const stderr = 'Error closing file a.wav: No space left on device';
  expect(await disk.explainError(noSpace)).toMatchObject({ code: 'disk-full' });
  expect(await disk.explainError(new ToolError({ command: 'ffmpeg', args: [], exitCode: 1, stderr }))).toMatchObject({
    code: 'disk-full',
  });
  expect(await disk.explainError(other)).toBe(other);
  // The tool exited with 0.
  await expect(disk.assertWritten(stderr)).rejects.toMatchObject({ code: 'disk-full' });
});
