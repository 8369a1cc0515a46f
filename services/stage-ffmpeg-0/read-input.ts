import type { Media } from '../../schemas/generated/types.ts';
import { PermanentError } from '../../shared/core/errors.ts';
import type { Exec } from '../../shared/tools/exec.ts';
import { measureDuration } from '../../shared/media/duration.ts';
import { probe } from '../../shared/media/probe.ts';
import type { Source } from '../../shared/pipeline/stage.ts';
import { audioOutput } from './args.ts';
import { checkLimits, type Limits } from './limits.ts';

/**
 * Probes an upload, rejects files that cannot be analysed, and extracts the first audio stream.
 * @param audio Path of the WAV file. It is not created if the upload has no audio.
 * @throws PermanentError `empty-file`, `not-media`, `no-streams` (neither video nor audio), `no-content` (streams without packets),
 * or as {@link checkLimits}.
 */
export async function readInput(input: Source, limits: Limits, exec: Exec, audio: string): Promise<Media> {
  const { name } = input;
  if (input.size === 0)
    throw new PermanentError('empty-file', `"${name}" is empty (0 bytes); upload it again under a new request id`);
  const path = await input.file();
  const found = await probe(exec, path);
  const { format, size, streams, video } = found;
  if (!video && !found.audio)
    throw new PermanentError(
      'no-streams',
      `"${name}" has no readable video or audio stream; check that it plays, and upload it again under a new request id`,
    );
  const measure = async (output: readonly string[]): Promise<number> =>
    round(await measureDuration(exec, path, found.duration, output));
  const maximum = limits['max-duration'];
  // The header may be wrong. If it is right, the file is rejected before its audio is decoded.
  if (found.duration > maximum) checkLimits(name, { duration: await measure([]), streams, video }, limits);
  const duration = await measure(found.audio ? audioOutput(maximum, audio) : []);
  if (duration <= 0)
    throw new PermanentError(
      'no-content',
      `"${name}" has streams without content; it may be cut off, so upload it again under a new request id`,
    );
  checkLimits(name, { duration, streams, video }, limits);
  return { format, duration, size, video, audio: found.audio };
}

/** Rounds to milliseconds. */
function round(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
