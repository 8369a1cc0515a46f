import { execFile } from 'node:child_process';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A small disk (tmpfs). */
export interface SmallDisk {
  remove(): Promise<void>;
}

/** Mounts a small disk on a directory; returns undefined if the user may not mount. @param size In bytes. */
export async function mountSmallDisk(dir: string, size: number): Promise<SmallDisk | undefined> {
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', dir]);
  } catch {
    return undefined;
  }
  return {
    remove: async () => {
      // A lazy unmount, because an exiting tool may still use the directory.
      await run('umount', ['--lazy', dir]);
    },
  };
}

/** Fills the disk of a directory. @returns A function that frees the space. */
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
