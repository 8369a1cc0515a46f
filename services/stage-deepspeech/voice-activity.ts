import { withWav } from '../../shared/media/wav.ts';

/** Sample rate in Hz on which the engines are trained. */
export const SAMPLE_RATE = 16_000;

/** A part of a clip, in seconds from its beginning, in multiples of {@link FRAME}. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Length of the frame of a level, in seconds. pocketsphinx cuts at the same frames. */
export const FRAME = 0.01;

/** Level in dBFS below which audio is not speech. A quiet room recorded with a phone is at −65, a whisper at −45. */
export const SILENCE = -55;

/** Difference in dB between the loud parts of a clip and its pauses. */
const DYNAMICS = 30;

/** Minimum length of a pause between utterances, in seconds. A cut at a shorter pause does not help an engine. */
const PAUSE = 0.4;

/** Minimum length of an utterance, in seconds. A shorter sound is a click. */
const MIN_LENGTH = 0.1;

/** Margin around an utterance, in seconds. Consonants begin and end below its level. */
const MARGIN = 0.2;

/** Returns the level of each frame: RMS in dBFS, `[⌊samples / 160⌋]`. @param pieces Samples of ±1. */
export async function computeLevels(pieces: AsyncIterable<Float32Array>): Promise<Float64Array> {
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

/** Returns the levels of an audio file, and its header size in bytes. @throws PermanentError `unreadable-audio`. */
export function readLevels(path: string): Promise<{ header: number; levels: Float64Array }> {
  return withWav(path, SAMPLE_RATE, async ({ offset, pieces }) => ({ header: offset, levels: await computeLevels(pieces()) }));
}

/**
 * Returns the parts of a clip that are loud enough for speech, each an utterance with its margins. Silence is excluded, because
 * engines invent words in it. Music and noise are included.
 */
export function findSpeech(levels: Float64Array): Span[] {
  // The 95th percentile, so that a single click does not set the level of the loud parts.
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
    .filter(({ from, to }) => to - from >= MIN_LENGTH / FRAME)
    .map(({ from, to }) => ({
      start: seconds(Math.max(0, from - MARGIN / FRAME)),
      end: seconds(Math.min(levels.length, to + MARGIN / FRAME)),
    }));
}

function seconds(frames: number): number {
  return Math.round(frames) / 100;
}
