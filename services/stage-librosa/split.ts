import { HOP } from './analyse.ts';

/** A half-open interval: the end is not part of it. */
export type Interval = readonly [start: number, end: number];

/** Minimum threshold in dB below the peak. It gives the most pauses. */
export const MIN_TOP_DB = 24;

/** Thresholds in dB below the peak, 24 … 49, as in the original FAVE. */
export const TOP_DBS: readonly number[] = Array.from({ length: 26 }, (_, i) => MIN_TOP_DB + i);

/** Minimum power, as in librosa (`amin` of `amplitude_to_db`, squared). */
const MIN_POWER = 1e-10;

/** Returns the level of each frame in dB relative to the loudest one, [frames], at most 0, as librosa's `amplitude_to_db(rms, ref=np.max, top_db=None)`. */
export function toDecibels(rms: Float64Array): Float64Array {
  const inDb = rms.map((value) => 10 * Math.log10(Math.max(MIN_POWER, value * value)));
  const peak = inDb.reduce((a, b) => Math.max(a, b), -Infinity);
  return inDb.map((level) => level - peak);
}

/**
 * Returns the runs of frames at least `topDb` below the loudest, in frames. Digital silence has none, because every frame is as loud
 * as the peak.
 * @param levels Levels in dB, from {@link toDecibels}.
 */
export function findPauses(levels: Float64Array, topDb: number): Interval[] {
  return runs(levels, (level) => level <= -topDb);
}

/**
 * Returns the non-silent intervals in samples, as `librosa.effects.split(y, top_db=topDb)` of librosa 0.11 with its defaults.
 * @param samples Number of samples of the audio; the last interval ends there at the latest.
 */
export function split(levels: Float64Array, topDb: number, samples: number): Interval[] {
  return runs(levels, (level) => level > -topDb).map(([start, end]) => [
    Math.min(start * HOP, samples),
    Math.min(end * HOP, samples),
  ]);
}

/** Returns the maximal runs of frames whose level passes the test. */
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
