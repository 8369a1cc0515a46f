import { statfs } from 'node:fs/promises';
import { UnavailableError } from '../errors.ts';

/** Bytes below which a disk counts as full: a tool that found no room for its next block leaves less than one. */
const ROOM = 1 << 20;

/**
 * What an error means where the disk of the items' directories is full: then no failure is the item's own, not even a
 * tool's, whose exit code does not say why. To be asked before what was made there is removed.
 * @returns UnavailableError `disk-full`, or the error itself.
 */
export async function unlessFull(error: unknown, dir: string): Promise<unknown> {
  const { code } = error as { code?: unknown };
  if (code !== 'ENOSPC' && code !== 'EDQUOT' && (await roomOn(dir)) >= ROOM) return error;
  return new UnavailableError(
    'disk-full',
    `there is no room left on the disk of ${dir}: make some, or set FAVE_TMPDIR to a larger one`,
    {
      cause: error,
    },
  );
}

/** Bytes that are left for this user. */
async function roomOn(dir: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(dir);
    return bavail * bsize;
  } catch {
    return Infinity;
  }
}
