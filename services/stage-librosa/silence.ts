import { HOP } from './analyse.ts';
import { MAX_CLIPS, toSeconds } from './clips.ts';
import { MIN_TOP_DB, findPauses, TOP_DBS } from './split.ts';
import { SAMPLE_RATE } from './meyda.ts';

/**
 * Minimum and maximum length of a clip, in seconds. Each clip costs a start of several programs, and its speech is decoded in windows of up to
 * 30 s, which short clips do not fill (docs/decisions/speech.md).
 */
export const MIN_CLIP_SECONDS = 15;
export const MAX_CLIP_SECONDS = 90;

const FRAMES_PER_SECOND = SAMPLE_RATE / HOP;

/** Cost of a cut, in seconds of pause: a longer pause justifies a cut although the clip could continue. */
const CUT_COST = 6;

/** Weight of 1 dB. Without a pause the quietest frame is chosen, but the shortest pause at one threshold outweighs it. */
const LEVEL_WEIGHT = 1e-4;

/** A possible cut, and the best sequence of cuts that ends with it. */
interface Cut {
  /** Seconds. */
  readonly time: number;
  /** Positive if the cut is better than continuing the clip. */
  readonly value: number;
  /** Maximum sum of the values of the cuts up to this one. */
  total: number;
  before?: Cut;
}

/**
 * Cuts audio in the middle of its longest pauses into clips of 15 to 90 seconds. Without a pause it cuts at the quietest frame, and
 * shorter audio is one clip. Dynamic programming finds the sequence of cuts with the maximum sum of values, from one candidate
 * per second, in time linear in the duration.
 * @param levels Level of each frame in dB, from {@link toDecibels}.
 * @param samples Number of samples of the audio.
 * @param maxClips Maximum number of clips. The clips of a long audio are longer, so that their number does not exceed it.
 * @returns Ends of the clips in seconds, ascending. The last is the duration.
 */
export function cutAtSilence(levels: Float64Array, samples: number, maxClips = MAX_CLIPS): number[] {
  const duration = toSeconds(samples);
  const shortest = Math.max(MIN_CLIP_SECONDS, duration / maxClips);
  const longest = Math.max(MAX_CLIP_SECONDS, 2 * shortest);
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

/** Returns the best cut of each second. */
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
 * Returns the value of a cut at each frame, [frames], in seconds of pause. The best frame of each pause of at least one second has the
 * length of the pause, less the cost of a cut. One frame per pause, because a long silence is one pause.
 */
function cutValues(levels: Float64Array): Float64Array {
  const penalties = computeCutPenalties(levels);
  const values = penalties.map((value) => -value - CUT_COST);
  for (const [start, end] of findPauses(levels, MIN_TOP_DB)) {
    const gain = (end - start) / FRAMES_PER_SECOND;
    if (gain < 1) continue;
    const inside = penalties.subarray(start, end);
    const middle = start + inside.indexOf(inside.reduce((a, b) => Math.min(a, b)));
    values[middle] = gain - (penalties[middle] ?? 0) - CUT_COST;
  }
  return values;
}

/**
 * Returns the penalty of a cut at each frame, [frames], 0 … 1: the mean over all thresholds of 1 / (1 + frames to the nearest
 * sound). The middle of a long, deep pause has the lowest penalty. No single threshold fits a whole video: in a part more than
 * 24 dB below the peak, which is one pause at the low thresholds, the high thresholds decide. Without a pause the level decides.
 */
export function computeCutPenalties(levels: Float64Array): Float64Array {
  const saved = new Float64Array(levels.length);
  for (const topDb of TOP_DBS) {
    for (const [start, end] of findPauses(levels, topDb)) {
      for (let i = start; i < end; i++) saved[i] = (saved[i] ?? 0) + 1 - 1 / (1 + Math.min(i - start + 1, end - i));
    }
  }
  return levels.map((level, i) => 1 - (saved[i] ?? 0) / TOP_DBS.length + level * LEVEL_WEIGHT);
}
