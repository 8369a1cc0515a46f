import { HOP } from './analyse.ts';
import { toSeconds, MAX_CLIPS } from './clips.ts';
import { LOWEST, pausesOf, TOP_DBS } from './split.ts';
import { SAMPLE_RATE } from './meyda.ts';

/** Seconds of a clip. */
export const SHORTEST = 5;
export const LONGEST = 30;

/** Frames a second; a pause of so many is worth a cut where the clip could as well go on. */
const SECOND = SAMPLE_RATE / HOP;

/** Price of a cut outside such pauses, which is made only because a clip would get too long; a small part of the harm of cutting a word. */
const PRICE = 0.1;

/** What 1 dB weighs: with no pause the quietest frame wins, yet the shortest pause at one threshold outweighs it. */
const QUIETNESS = 1e-4;

/** A place to cut, and the best way there. */
interface Cut {
  /** Seconds. */
  readonly time: number;
  /** Above 0: better than going on. */
  readonly value: number;
  /** Most that the values of the cuts up to this one add up to. */
  total: number;
  before?: Cut;
}

/**
 * Cuts in the middle of the longest pauses, so that clips are of 5 to 30 seconds; where there is no pause, at the quietest frame.
 * Shorter audio is one clip. Of all allowed series of cuts, dynamic programming finds the one whose values add up to the most,
 * with one candidate a second (the best of it), hence in time linear in the duration.
 * @param levels - dB of each frame, of `levels`
 * @param samples - number of samples of the audio
 * @returns ends of the clips in seconds, ascending, the last being the duration; at most 9 999
 */
export function cutAtSilence(levels: Float64Array, samples: number): number[] {
  const duration = toSeconds(samples);
  // Only audio of more than 13.8 hours is stretched: 5 s clips of it would be too many.
  const shortest = Math.max(SHORTEST, duration / MAX_CLIPS);
  const longest = Math.max(LONGEST, 2 * shortest);
  const last: Cut = { time: duration, value: 0, total: -Infinity };
  const cuts = [{ time: 0, value: 0, total: 0 }, ...candidates(levels, duration), last];

  let first = 0;
  for (const [i, cut] of cuts.entries()) {
    while (cut.time - (cuts[first]?.time ?? 0) > longest) first++;
    for (const from of cuts.slice(first, i)) {
      if (cut.time - from.time < shortest || from.total + cut.value <= cut.total) continue;
      cut.total = from.total + cut.value;
      cut.before = from;
    }
  }

  const ends = [duration];
  for (let cut = last.before; cut?.before; cut = cut.before) ends.unshift(cut.time);
  return ends;
}

/** The best place to cut of each second. */
function candidates(levels: Float64Array, duration: number): Cut[] {
  const best = new Map<number, Cut>();
  for (const [i, value] of cutValues(levels).entries()) {
    const time = toSeconds(i * HOP);
    const second = Math.floor(time);
    if (time < duration && value > (best.get(second)?.value ?? -Infinity)) best.set(second, { time, value, total: -Infinity });
  }
  return [...best.values()];
}

/**
 * Value of a cut at each frame, [frames]: a loss, but for the best place of each pause of a second or longer, which gains the
 * pause's seconds (more than any harm). Only one a pause, or a long silence would be cut to pieces.
 */
function cutValues(levels: Float64Array): Float64Array {
  const harm = computeCutPenalties(levels);
  const values = harm.map((value) => -value - PRICE);
  for (const [start, end] of pausesOf(levels, LOWEST)) {
    const gain = (end - start) / SECOND;
    if (gain < 1) continue;
    const inside = harm.subarray(start, end);
    const middle = start + inside.indexOf(inside.reduce((a, b) => Math.min(a, b)));
    values[middle] = gain - (harm[middle] ?? 0);
  }
  return values;
}

/**
 * Harm of a cut at each frame, [frames], 0 … 1: the mean over all thresholds of 1 / (1 + frames to the nearest sound). So the
 * middle of a pause is best, long and deep pauses win, and no single threshold need suit the whole video: in a part more than
 * 24 dB below the peak, which is one pause at the low thresholds, the high ones decide. Where all is sound, its level decides.
 */
export function computeCutPenalties(levels: Float64Array): Float64Array {
  const saved = new Float64Array(levels.length);
  for (const topDb of TOP_DBS) {
    for (const [start, end] of pausesOf(levels, topDb)) {
      for (let i = start; i < end; i++) saved[i] = (saved[i] ?? 0) + 1 - 1 / (1 + Math.min(i - start + 1, end - i));
    }
  }
  return levels.map((level, i) => 1 - (saved[i] ?? 0) / TOP_DBS.length + level * QUIETNESS);
}
