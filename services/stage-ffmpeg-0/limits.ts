import type { ErrorCode } from '../../shared/core/error-codes.ts';
import { PermanentError } from '../../shared/core/errors.ts';
import type { OptionSchemas, OptionValues } from '../../shared/core/options.ts';
import { toFrameRate } from '../../shared/media/clip-video.ts';
import type { Probe } from '../../shared/media/probe.ts';

/** Limits of an upload, so that one file cannot fill the disk or occupy a worker for a day. */
export const limits = {
  'max-duration': { type: 'number', default: 21_600, minimum: 1, description: 'maximum duration of a video, in seconds' },
  'max-pixels': {
    type: 'integer',
    default: 8192 * 8192,
    minimum: 1,
    description: 'maximum size of a frame, as width × height in pixels',
  },
  'max-fps': { type: 'number', default: 1000, minimum: 1, description: 'maximum frame rate, in frames per second' },
  'max-total-pixels': {
    type: 'number',
    default: 4e12,
    minimum: 1,
    description: 'maximum size of a video, as width × height × frames in pixels; 1080p at 60 frames per second for 9 hours',
  },
  'max-streams': { type: 'integer', default: 64, minimum: 1, description: 'maximum number of streams in a file' },
} as const satisfies OptionSchemas;

export type Limits = OptionValues<typeof limits>;

/**
 * Rejects a file that exceeds a limit.
 * @param name Name of the file, for the message.
 * @throws PermanentError `too-many-streams`, `too-large`, `too-many-frames`, `too-long` or `too-many-pixels`.
 */
export function checkLimits(name: string, found: Pick<Probe, 'streams' | 'video' | 'duration'>, limit: Limits): void {
  const { streams, video, duration } = found;
  const pixels = video ? video.width * video.height : 0;
  const fps = video?.fps ?? 0;
  const reject = (code: ErrorCode<'permanent'>, fact: string, maximum: string): never => {
    throw new PermanentError(code, `"${name}" ${fact}; the limit is ${maximum}`);
  };
  if (streams > limit['max-streams']) reject('too-many-streams', `has ${streams} streams`, `${limit['max-streams']}`);
  if (pixels > limit['max-pixels'])
    reject('too-large', `has frames of ${video?.width} × ${video?.height} pixels`, `${limit['max-pixels']} pixels in all`);
  if (fps > limit['max-fps']) reject('too-many-frames', `has ${fps} frames per second`, `${limit['max-fps']}`);
  if (duration > limit['max-duration'])
    reject('too-long', `lasts ${Math.round(duration)} seconds`, `${limit['max-duration']} seconds`);
  // A header may state no frame rate, or a lower one than the encoding has.
  const total = pixels * Math.max(fps, toFrameRate(fps)) * duration;
  if (total > limit['max-total-pixels'])
    reject('too-many-pixels', `has ${total.toExponential(1)} pixels in all frames`, limit['max-total-pixels'].toExponential(1));
}
