import { type Interval, split, TOP_DBS } from './split.ts';
import { MAX_CLIPS, toSeconds } from './clips.ts';

/** Seconds of audio a clip, at most and at least, on the mean, for a threshold to be taken. */
const LONGEST_MEAN = 30;
const SHORTEST_MEAN = 0.1;

/** Seconds below which what is left at the end joins the clip before. */
const SLIVER = 1;

/** Where clips end, and the threshold that gave the intervals: `null` where none gave a fitting number. */
export interface Segmentation {
  readonly topDb: number | null;
  /** Seconds, ascending; the last is the duration. */
  readonly ends: readonly number[];
}

/**
 * The original's rule: the first threshold of 24 … 49 dB whose number of intervals is between duration / 30 and duration / 0.1;
 * a clip ends where an interval does, rounded up to whole seconds. No such threshold: one clip. Unlike the original's, the clips
 * go on to the audio's end, and beyond 9 999 seconds round to 2, 3 … whole seconds, so that there are never more than 9 999.
 */
export function cutAtThreshold(levels: Float64Array, samples: number): Segmentation {
  const duration = toSeconds(samples);
  for (const topDb of TOP_DBS) {
    const intervals = split(levels, topDb, samples);
    if (intervals.length >= duration / LONGEST_MEAN && intervals.length <= duration / SHORTEST_MEAN)
      return { topDb, ends: roundedEnds(intervals, duration) };
  }
  return { topDb: null, ends: [duration] };
}

/** Ends of the clips in seconds, the last being the duration. */
export function roundedEnds(intervals: readonly Interval[], duration: number): number[] {
  const unit = Math.max(1, Math.ceil(duration / MAX_CLIPS));
  const rounded = intervals.map(([, end]) => Math.ceil(toSeconds(end) / unit) * unit);
  const ends = [...new Set(rounded)].filter((end) => duration - end >= SLIVER);
  return [...ends, duration];
}
