import { HOP } from './analyse.ts';

/** From and to: the end is not part of it. */
export type Interval = readonly [start: number, end: number];

/** The lowest threshold, which leaves the most pauses. */
export const LOWEST = 24;

/** The thresholds in dB below the peak that are considered, the original's: 24 … 49. */
export const TOP_DBS: readonly number[] = Array.from({ length: 26 }, (_, i) => LOWEST + i);

/** Power below which librosa makes no difference (`amin` of `amplitude_to_db`, squared). */
const SMALLEST_POWER = 1e-10;

/** Level of each frame in dB below the loudest one, [frames], at most 0; librosa's `amplitude_to_db(rms, ref=np.max, top_db=None)`. */
export function toDecibels(rms: Float64Array): Float64Array {
  const inDb = rms.map((value) => 10 * Math.log10(Math.max(SMALLEST_POWER, value * value)));
  const peak = inDb.reduce((a, b) => Math.max(a, b), -Infinity);
  return inDb.map((level) => level - peak);
}

/**
 * Runs of frames at least `topDb` below the loudest, in frames. Digital silence has none: all of it is as loud as its peak.
 * @param levels - dB, of {@link levels}
 */
export function pausesOf(levels: Float64Array, topDb: number): Interval[] {
  return runs(levels, (level) => level <= -topDb);
}

/**
 * Non-silent intervals in samples: what `librosa.effects.split(y, top_db=topDb)` of librosa 0.11 gives with its defaults.
 * @param samples - number of samples of the audio, which the last interval is clipped to
 */
export function split(levels: Float64Array, topDb: number, samples: number): Interval[] {
  return runs(levels, (level) => level > -topDb).map(([start, end]) => [
    Math.min(start * HOP, samples),
    Math.min(end * HOP, samples),
  ]);
}

/** Longest runs of frames whose level passes. */
function runs(levels: Float64Array, passes: (level: number) => boolean): Interval[] {
  const found: Interval[] = [];
  let start = -1;
  for (let i = 0; i <= levels.length; i++) {
    const level = levels[i];
    const inside = level !== undefined && passes(level);
    if (inside && start < 0) start = i;
    if (!inside && start >= 0) {
      found.push([start, i]);
      start = -1;
    }
  }
  return found;
}
