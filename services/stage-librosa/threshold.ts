import { type Interval, split, TOP_DBS } from './split.ts';
import { MAX_CLIPS, toSeconds } from './clips.ts';

/** Maximum and minimum mean length of an interval at which a threshold is accepted, in seconds. */
const MAX_MEAN_SECONDS = 30;
const MIN_MEAN_SECONDS = 0.1;

/** Minimum length of the last clip, in seconds. A shorter rest joins the clip before. */
const MIN_REST_SECONDS = 1;

/** Ends of the clips, and the threshold of the intervals; `null` if no threshold was accepted. */
export interface Segmentation {
  readonly topDb: number | null;
  /** Seconds, ascending; the last is the duration. */
  readonly ends: readonly number[];
}

/**
 * Cuts audio by the rule of the original FAVE. It uses the first threshold of 24 … 49 dB whose number of intervals is between
 * duration / 30 and duration / 0.1. A clip ends with an interval, rounded up to whole seconds. Without such a threshold there is
 * one clip. Unlike the original, the last clip ends with the audio, and above 9 999 seconds ends are multiples of 2, 3 … seconds,
 * which limits the number of clips to 9 999.
 */
export function cutAtThreshold(levels: Float64Array, samples: number): Segmentation {
  const duration = toSeconds(samples);
  for (const topDb of TOP_DBS) {
    const intervals = split(levels, topDb, samples);
    if (intervals.length >= duration / MAX_MEAN_SECONDS && intervals.length <= duration / MIN_MEAN_SECONDS)
      return { topDb, ends: roundEnds(intervals, duration) };
  }
  return { topDb: null, ends: [duration] };
}

/** Returns the ends of the clips in seconds; the last is the duration. */
export function roundEnds(intervals: readonly Interval[], duration: number): number[] {
  const unit = Math.max(1, Math.ceil(duration / MAX_CLIPS));
  const rounded = intervals.map(([, end]) => Math.ceil(toSeconds(end) / unit) * unit);
  const ends = [...new Set(rounded)].filter((end) => duration - end >= MIN_REST_SECONDS);
  return [...ends, duration];
}
