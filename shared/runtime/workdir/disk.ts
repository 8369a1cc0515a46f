import { statfs } from 'node:fs/promises';
import { UnavailableError } from '../../core/errors.ts';

/** Free space below which a disk counts as full, in bytes. A tool that cannot write its next block leaves less than one block. */
const MIN_FREE_BYTES = 1 << 20;

/** Interval between checks (ms). */
const CHECK_INTERVAL_MS = 200;

/** Message of ENOSPC in the C locale, in which tools run. */
const ENOSPC_MESSAGE = 'No space left on device';

/** Detects a full disk while an item is processed. */
export interface DiskWatch {
  /**
   * Returns an UnavailableError `disk-full` if the disk was full during the item, otherwise the error. A full disk can cause any
   * failure, also one of a tool whose exit code does not explain it. Call it before the working directory is removed.
   */
  explainError(error: unknown): Promise<unknown>;
  /**
   * Checks the disk after a tool has succeeded: ffmpeg exits with 0 when it could not write its last block, and the output is torn.
   * @throws UnavailableError `disk-full`
   */
  assertWritten(stderr: string): Promise<void>;
  stop(): void;
}

export function watchDisk(dir: string): DiskWatch {
  let wasFull = false;
  const checkDisk = async (): Promise<boolean> => {
    wasFull ||= (await readFreeBytes(dir)) < MIN_FREE_BYTES;
    return wasFull;
  };
  // Other items that end may free space before the next call, so the disk is also checked regularly.
  const timer = setInterval(() => void checkDisk(), CHECK_INTERVAL_MS);
  const full = (cause?: unknown): UnavailableError =>
    new UnavailableError('disk-full', `the disk of ${dir} is full: free space, or set FAVE_TMPDIR to a larger disk`, { cause });
  return {
    explainError: async (error) => {
      if (error instanceof UnavailableError) return error;
      const { code, stderr } = error as { code?: unknown; stderr?: unknown };
      const isReported =
        code === 'ENOSPC' || code === 'EDQUOT' || (typeof stderr === 'string' && stderr.includes(ENOSPC_MESSAGE));
      return isReported || (await checkDisk()) ? full(error) : error;
    },
    assertWritten: async (stderr) => {
      if (stderr.includes(ENOSPC_MESSAGE) || (await checkDisk())) throw full();
    },
    stop: () => {
      clearInterval(timer);
    },
  };
}

/** Returns the space that is available to this user. */
async function readFreeBytes(dir: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(dir);
    return bavail * bsize;
  } catch {
    return Infinity;
  }
}
