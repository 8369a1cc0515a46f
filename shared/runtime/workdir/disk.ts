import { statfs } from 'node:fs/promises';
import { UnavailableError } from '../../core/errors.ts';

/** Bytes below which a disk counts as full: a tool that found no room for its next block leaves less than one. */
const ROOM = 1 << 20;

/** Milliseconds between two looks at the room. */
const INTERVAL = 200;

/** The system's words for ENOSPC in the C locale, in which tools run. */
const NO_ROOM = 'No space left on device';

/** Keeps an eye on the disk of an item's directory. */
export interface DiskWatch {
  /**
   * What an error means: where the disk was full during the item, no failure is the item's own, not even a tool's, whose exit
   * code does not say why. To be asked before what was made there is removed. @returns UnavailableError `disk-full`, or the error itself.
   */
  explainError(error: unknown): Promise<unknown>;
  /**
   * To be called after a tool has succeeded: ffmpeg ends with 0 when only its last block found no room, and what it made is torn.
   * @param stderr What it said. @throws UnavailableError `disk-full`.
   */
  assertWritten(stderr: string): Promise<void>;
  stop(): void;
}

export function watchDisk(dir: string): DiskWatch {
  let wasFull = false;
  const look = async (): Promise<boolean> => {
    wasFull ||= (await roomOn(dir)) < ROOM;
    return wasFull;
  };
  // Room may be back before anybody asks: other items on this disk end too, and give theirs back.
  const timer = setInterval(() => void look(), INTERVAL);
  const full = (cause?: unknown): UnavailableError =>
    new UnavailableError(
      'disk-full',
      `there is no room left on the disk of ${dir}: make some, or set FAVE_TMPDIR to a larger one`,
      { cause },
    );
  return {
    explainError: async (error) => {
      if (error instanceof UnavailableError) return error;
      const { code, stderr } = error as { code?: unknown; stderr?: unknown };
      const said = code === 'ENOSPC' || code === 'EDQUOT' || (typeof stderr === 'string' && stderr.includes(NO_ROOM));
      return said || (await look()) ? full(error) : error;
    },
    assertWritten: async (stderr) => {
      if (stderr.includes(NO_ROOM) || (await look())) throw full();
    },
    stop: () => {
      clearInterval(timer);
    },
  };
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
