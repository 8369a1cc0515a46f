import type { Media } from '../../schemas/generated/types.ts';
import { PermanentError } from '../../shared/core/errors.ts';
import type { Exec } from '../../shared/tools/exec.ts';
import { measureDuration } from '../../shared/media/duration.ts';
import { probe } from '../../shared/media/probe.ts';
import type { Source } from '../../shared/pipeline/stage.ts';
import { checkLimits, type Limits } from './limits.ts';

/**
 * Probes an upload and rejects files that cannot be analysed.
 * @throws PermanentError `empty-file`, `not-media`, `no-streams` (neither video nor audio), `no-content` (streams without packets),
 * or as {@link checkLimits}.
 */
export async function probeInput(input: Source, limits: Limits, exec: Exec): Promise<Media> {
  const { name } = input;
  if (input.size === 0)
    throw new PermanentError('empty-file', `"${name}" is empty (0 bytes); upload it again under a new request id`);
  const path = await input.file();
  const { format, size, video, audio, ...found } = await probe(exec, path);
  if (!video && !audio)
    throw new PermanentError(
      'no-streams',
      `"${name}" has no readable video or audio stream; check that it plays, and upload it again under a new request id`,
    );
  const { streams } = found;
  const duration = round(await measureDuration(exec, path, found.duration));
  if (duration <= 0)
    throw new PermanentError(
      'no-content',
      `"${name}" has streams without content; it may be cut off, so upload it again under a new request id`,
    );
  checkLimits(name, { duration, streams, video }, limits);
  return { format, duration, size, video, audio };
}

/** Rounds to milliseconds. */
function round(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
