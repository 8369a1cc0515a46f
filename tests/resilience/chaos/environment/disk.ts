import { execFile } from 'node:child_process';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A small disk of its own. */
export interface SmallDisk {
  remove(): Promise<void>;
}

/** Puts a small disk on a directory; undefined where this user may not mount. @param size Bytes. */
export async function mountSmallDisk(dir: string, size: number): Promise<SmallDisk | undefined> {
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', dir]);
  } catch {
    return undefined;
  }
  return {
    remove: async () => {
      // Lazily: a tool that dies at this moment must not keep the directory.
      await run('umount', ['--lazy', dir]);
    },
  };
}

/** Takes all the room that is left on a directory's disk. @returns Gives it back. */
export async function fillDisk(dir: string): Promise<() => Promise<void>> {
  const ballast = join(dir, 'ballast');
  const file = await open(ballast, 'w');
  const piece = Buffer.alloc(1 << 16);
  try {
    for (;;) await file.write(piece);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    await file.close();
  }
  return () => rm(ballast, { force: true });
}
