import { chmod, mkdir, stat } from 'node:fs/promises';
import { PermanentError } from '../../shared/core/errors.ts';

/** Mode bits of the group and of other users. */
const OTHERS = 0o077;

/**
 * Creates a data directory that only its owner can open, and closes an existing one: it contains the objects and the secrets of an
 * instance.
 * @throws PermanentError `foreign-data-directory` if another user owns it, who could open it again.
 */
export async function closeDataDir(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const { uid, mode } = await stat(path);
  if (uid !== process.getuid?.())
    throw new PermanentError(
      'foreign-data-directory',
      `${path} belongs to user ${uid}, who can read its secrets: change its owner, or choose another directory with --data`,
    );
  if ((mode & OTHERS) !== 0) await chmod(path, 0o700);
}

/** Restricts the files that this process and its future children create to their owner. */
export function closeNewFiles(): void {
  process.umask(OTHERS);
}
