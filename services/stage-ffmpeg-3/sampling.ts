import type { Frames } from '../../schemas/generated/types.ts';
import { toFrameRate } from '../../shared/media/clip-video.ts';

/** Choice of the regular frames of a clip. */
export interface Sampling {
  /** Frames per second from which frames are chosen; at least one per `interval`. */
  readonly rate: number;
  /** Seconds. */
  readonly interval: number;
}

type Position = Pick<Frames['frames'][number], 'time' | 'reason'>;

/** Tolerance for rounding errors, in frames. */
const TOLERANCE = 1e-6;

/** Returns the sampling of a source. @param fps Frame rate of the source. */
export function toSampling(fps: number, interval: number): Sampling {
  return { rate: Math.max(toFrameRate(fps), 1 / interval), interval };
}

/** Returns an expression of ffmpeg that is 1 if the n-th frame is on display at a multiple of the interval, like {@link toPosition}. */
export function intervalCondition({ rate, interval }: Sampling): string {
  const step = rate * interval;
  return `lt(ceil(n/${step}-${TOLERANCE})*${step},n+1-${TOLERANCE})`;
}

/** Returns the time (seconds from the start of the clip) of the n-th frame, and the reason why it was chosen. */
export function toPosition(n: number, { rate, interval }: Sampling): Position {
  const step = rate * interval;
  const multiple = Math.max(0, Math.ceil(n / step - TOLERANCE));
  return multiple * step < n + 1 - TOLERANCE
    ? { time: multiple * interval, reason: 'interval' }
    : { time: n / rate, reason: 'scene' };
}

/** Returns the position of a frame from a line of ffmpeg's filter `metadata=print`, in frames; `undefined` for other lines. */
export function parsePosition(line: string): number | undefined {
  const match = /^frame:\d+\s+pts:(\d+)\s/.exec(line);
  return match ? Number(match[1]) : undefined;
}
