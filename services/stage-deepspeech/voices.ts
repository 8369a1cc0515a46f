import { shippedModelPath } from '../../shared/onnx/shipped-model.ts';
import { loadOnnxModel } from '../../shared/onnx/session.ts';
import { withWav } from '../../shared/media/wav.ts';
import type { Utterance } from './engine.ts';
import { SAMPLE_RATE, type Span } from './voice-activity.ts';

/** Describes voices, so that utterances of one speaker can be recognised. */
export interface VoiceEncoder {
  readonly name: string;
  /** Version of the model. */
  readonly version: string;
  /** @param samples Samples of ±1 at 16 kHz. @returns A vector of unit length, `[256]`. */
  encode(samples: Float32Array): Promise<Float32Array>;
}

/** Window of the encoder: 160 frames of 25 ms, 10 ms apart. */
const WINDOW = 159 * 160 + 400;

/** Level to which quiet speech is amplified, in dBFS, as in the training of the encoder. */
const LEVEL = -30;

/** Audio this much quieter than the loudest of an utterance is a pause, in dB. Pauses make embeddings less similar. */
const DYNAMICS = 25;

/** Length of the blocks that are kept or removed, and number of neighbours kept around a loud one. */
const BLOCK = 160;
const MARGIN = 3;

/** Minimum length of an utterance, in seconds. */
const MIN_SECONDS = 0.3;

/** Loads the shipped voice encoder (https://github.com/resemble-ai/Resemblyzer, generalized end-to-end loss, Wan et al. 2018). */
export async function createVoiceEncoder(): Promise<VoiceEncoder> {
  const { session, Tensor } = await loadOnnxModel(shippedModelPath('voice-encoder.onnx'));
  return {
    name: 'voice-encoder',
    version: 'Resemblyzer 0.1.4',
    async encode(samples) {
      const windows = cutWindows(normalize(removePauses(samples)));
      const { emb } = await session.run({ samples: new Tensor('float32', windows, [windows.length / WINDOW, WINDOW]) });
      return average(emb?.data as Float32Array, 256);
    },
  };
}

/** Adds the voice to each utterance. @param wav Path of the WAV file that was transcribed. */
export async function addVoices(utterances: readonly Utterance[], wav: string, encoder: VoiceEncoder): Promise<Utterance[]> {
  const samples = await readSamples(wav);
  const voiced: Utterance[] = [];
  for (const utterance of utterances) {
    const spoken = slice(samples, utterance);
    const long = spoken.length >= MIN_SECONDS * SAMPLE_RATE;
    voiced.push(long ? { ...utterance, voice: toText(await encoder.encode(spoken)) } : utterance);
  }
  return voiced;
}

async function readSamples(path: string): Promise<Float32Array> {
  return withWav(path, SAMPLE_RATE, async ({ samples, pieces }) => {
    const all = new Float32Array(samples);
    let at = 0;
    for await (const piece of pieces()) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  });
}

function slice(samples: Float32Array, { start, end }: Span): Float32Array {
  return samples.subarray(Math.round(start * SAMPLE_RATE), Math.round(end * SAMPLE_RATE));
}

/** Returns the loud blocks with their neighbours. */
function removePauses(samples: Float32Array): Float32Array {
  const blocks = Array.from({ length: Math.ceil(samples.length / BLOCK) }, (_, n) =>
    samples.subarray(n * BLOCK, (n + 1) * BLOCK),
  );
  const powers = blocks.map(computePower);
  const threshold = Math.max(...powers) * 10 ** (-DYNAMICS / 10);
  const kept = blocks.filter((_, n) => powers.slice(Math.max(0, n - MARGIN), n + MARGIN + 1).some((power) => power >= threshold));
  const joined = new Float32Array(kept.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const block of kept) {
    joined.set(block, at);
    at += block.length;
  }
  return joined;
}

function normalize(samples: Float32Array): Float32Array {
  const gain = Math.max(1, 10 ** (LEVEL / 20) / Math.sqrt(computePower(samples) + 1e-12));
  return samples.map((sample) => sample * gain);
}

function computePower(samples: Float32Array): number {
  return samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
}

/** Returns evenly spaced windows that cover the samples, `[n × 25840]`. Samples shorter than a window are repeated. */
function cutWindows(samples: Float32Array): Float32Array {
  const count = Math.ceil(samples.length / WINDOW);
  const windows = new Float32Array(count * WINDOW);
  for (let n = 0; n < count; n += 1) {
    const from = count === 1 ? 0 : Math.round(((samples.length - WINDOW) * n) / (count - 1));
    windows.set(samples.subarray(from, from + WINDOW), n * WINDOW);
  }
  if (samples.length < WINDOW) for (let n = samples.length; n < WINDOW; n += 1) windows[n] = samples[n % samples.length] ?? 0;
  return windows;
}

/** Returns the mean of unit vectors as a unit vector. */
function average(vectors: Float32Array, size: number): Float32Array {
  const sum = new Float32Array(size);
  vectors.forEach((value, n) => (sum[n % size] = (sum[n % size] ?? 0) + value));
  const length = Math.hypot(...sum) || 1;
  return sum.map((value) => value / length);
}

/** Encodes the direction of a vector without negative numbers as base64 of unsigned bytes. */
function toText(vector: Float32Array): string {
  const largest = Math.max(...vector, 1e-9);
  return Buffer.from(vector.map((value) => Math.round((value / largest) * 255))).toString('base64');
}
