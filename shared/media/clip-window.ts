import { PermanentError } from '../core/errors.ts';
import type { Attributes } from '../pipeline/artifact.ts';

/** Position of a clip in the source and in its file, in seconds. */
export interface ClipWindow {
  /** Start in the source. */
  readonly start: number;
  /** End in the source. */
  readonly end: number;
  readonly duration: number;
  /** Length of the beginning of the file that precedes the clip. */
  readonly preroll: number;
}

/** Returns the position of a clip from its attributes. @throws PermanentError `invalid-clip` if they are incomplete. */
export function toClipWindow({ name, attributes }: { name: string; attributes: Attributes }): ClipWindow {
  const { start, end, preroll = 0 } = attributes;
  if (start === undefined || end === undefined || !(end > start))
    throw new PermanentError(
      'invalid-clip',
      `the metadata of "${name}" lack the start and end of the clip; replay the request from stage-ffmpeg-1`,
    );
  return { start, end, duration: end - start, preroll };
}
