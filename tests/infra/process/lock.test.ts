import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { withLock } from '../../../infra/process/lock.ts';
import { createTempDir } from '../../support/temp-dir.ts';

/** The wait between attempts is removed, so that many acquisitions coincide with a release. */
vi.mock('node:timers/promises', () => ({ setTimeout: () => new Promise(setImmediate) }));

const RELEASES = 500;

it('is released and taken by many, one at a time, and no release fails', { timeout: 120_000 }, async () => {
  const dir = createTempDir();
  let [inside, most, left] = [0, 0, RELEASES];
  const work = async (): Promise<void> => {
    most = Math.max(most, (inside += 1));
    await new Promise(setImmediate);
    inside -= 1;
  };
  const taker = async (): Promise<void> => {
    while ((left -= 1) >= 0) await withLock(join(dir, 'lock'), work);
  };
  const ended = await Promise.allSettled([1, 2, 3, 4].map(taker));
  expect(ended.filter(({ status }) => status === 'rejected')).toEqual([]);
  expect(most).toBe(1);
  expect(await readdir(dir)).toEqual([]);
});
