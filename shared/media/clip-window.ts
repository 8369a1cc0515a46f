import { PermanentError } from '../core/errors.ts';
import type { Attributes } from '../pipeline/artifact.ts';

/** A clip's place in the source, and in its own file. Seconds. */
export interface ClipWindow {
  /** In the source. */
  readonly start: number;
  /** In the source. */
  readonly end: number;
  readonly duration: number;
  /** At the beginning of the clip's file, to be skipped. */
  readonly preroll: number;
}

/** Reads a clip's place from its attributes. @throws PermanentError `invalid-clip` where they do not name one. */
export function toClipWindow({ name, attributes }: { name: string; attributes: Attributes }): ClipWindow {
  const { start, end, preroll = 0 } = attributes;
  if (start === undefined || end === undefined || !(end > start))
    throw new PermanentError(
      'invalid-clip',
      `"${name}" does not say which part of the source it is; cut the clips again with a replay`,
    );
  return { start, end, duration: end - start, preroll };
}
