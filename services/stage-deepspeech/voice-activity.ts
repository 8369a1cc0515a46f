import { withWav } from '../../shared/media/wav.ts';

/** Samples a second that every engine here is trained on. */
export const SAMPLE_RATE = 16_000;

/** A part of a clip. Seconds from its beginning, multiples of {@link FRAME}. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Seconds over which a level is taken; pocketsphinx cuts at the same ones. */
export const FRAME = 0.01;

/** dBFS; below it nothing counts as speech. A quiet room recorded with a phone is at −65, a whisper at −45. */
export const SILENCE = -55;

/** Decibels below a clip's loud parts at which its pauses begin. */
const DYNAMICS = 30;

/** Seconds. A shorter pause is within an utterance; it does not help an engine to be cut there. */
const PAUSE = 0.4;

/** Seconds. A shorter sound is a click. */
const SHORTEST = 0.1;

/** Seconds kept around an utterance: consonants begin and end below its level. */
const MARGIN = 0.2;

/** The level of each frame: RMS, dBFS; `[⌊samples / 160⌋]`. @param pieces Samples of ±1. */
export async function levelsOf(pieces: AsyncIterable<Float32Array>): Promise<Float64Array> {
  const length = SAMPLE_RATE * FRAME;
  const levels: number[] = [];
  let sum = 0;
  let filled = 0;
  for await (const piece of pieces) {
    for (const sample of piece) {
      sum += sample ** 2;
      if (++filled < length) continue;
      levels.push(10 * Math.log10(sum / length + 1e-12));
      sum = filled = 0;
    }
  }
  return Float64Array.from(levels);
}

/** The levels of a clip's sound, and the bytes before its first sample. @throws PermanentError `unreadable-audio`. */
export function readLevels(path: string): Promise<{ header: number; levels: Float64Array }> {
  return withWav(path, SAMPLE_RATE, async ({ offset, pieces }) => ({ header: offset, levels: await levelsOf(pieces()) }));
}

/**
 * Where a clip is loud enough for speech, each span an utterance with its margins. Silence gives none, so that no engine can
 * invent words in it; music and noise are loud and do give some.
 */
export function findSpeech(levels: Float64Array): Span[] {
  // The 95th percentile, because one click must not decide what is loud.
  const loud = levels.toSorted()[Math.floor(levels.length * 0.95)] ?? SILENCE;
  const threshold = Math.max(SILENCE, loud - DYNAMICS);
  const runs: { from: number; to: number }[] = [];
  levels.forEach((level, frame) => {
    if (level <= threshold) return;
    const last = runs.at(-1);
    if (last && frame - last.to < PAUSE / FRAME) last.to = frame + 1;
    else runs.push({ from: frame, to: frame + 1 });
  });
  return runs
    .filter(({ from, to }) => to - from >= SHORTEST / FRAME)
    .map(({ from, to }) => ({
      start: seconds(Math.max(0, from - MARGIN / FRAME)),
      end: seconds(Math.min(levels.length, to + MARGIN / FRAME)),
    }));
}

function seconds(frames: number): number {
  return Math.round(frames) / 100;
}
