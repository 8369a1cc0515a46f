import { PermanentError } from '../../shared/core/errors.ts';
import type { Probe } from '../../shared/media/probe.ts';
import type { OptionSchemas, OptionValues } from '../../shared/core/options.ts';

/** What an operator allows an upload to be, so that one file cannot fill the disk or hold a worker for a day. */
export const limits = {
  'max-duration': { type: 'number', default: 21_600, minimum: 1, description: 'longest video, in seconds' },
  'max-pixels': {
    type: 'integer',
    default: 8192 * 8192,
    minimum: 1,
    description: 'largest picture, width times height in pixels',
  },
  'max-fps': { type: 'number', default: 1000, minimum: 1, description: 'most frames a second' },
  'max-streams': { type: 'integer', default: 64, minimum: 1, description: 'most streams in one file' },
} as const satisfies OptionSchemas;

export type Limits = OptionValues<typeof limits>;

/**
 * Refuses what is larger than the operator allows.
 * @param name The file's name, for the sentence.
 * @throws PermanentError `too-many-streams`, `too-large`, `too-many-frames` or `too-long`.
 */
export function checkLimits(name: string, found: Pick<Probe, 'streams' | 'video' | 'duration'>, limit: Limits): void {
  const { streams, video, duration } = found;
  const pixels = video ? video.width * video.height : 0;
  const fps = video?.fps ?? 0;
  const refuse = (code: string, what: string, most: string): never => {
    throw new PermanentError(code, `"${name}" ${what}; ${most} is the most that is allowed here`);
  };
  if (streams > limit['max-streams']) refuse('too-many-streams', `has ${streams} streams`, `${limit['max-streams']}`);
  if (pixels > limit['max-pixels'])
    refuse('too-large', `has a picture of ${video?.width} × ${video?.height} pixels`, `${limit['max-pixels']} pixels in all`);
  if (fps > limit['max-fps']) refuse('too-many-frames', `has ${fps} frames a second`, `${limit['max-fps']}`);
  if (duration > limit['max-duration'])
    refuse('too-long', `lasts ${Math.round(duration)} seconds`, `${limit['max-duration']} seconds`);
}
