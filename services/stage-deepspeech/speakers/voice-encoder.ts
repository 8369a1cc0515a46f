import { shippedModelPath } from '../../../shared/onnx/shipped-model.ts';
import { loadOnnxModel } from '../../../shared/onnx/session.ts';
import { SAMPLE_RATE } from '../voice-activity.ts';

/** The voice in a part of an utterance. */
export interface VoiceWindow {
  /** Embedding of unit length, `[256]`. */
  readonly embedding: Float32Array;
  /** Centre of the part, in seconds from the start of the samples. */
  readonly at: number;
}

/** Describes voices, so that utterances of one speaker can be recognised. */
export interface VoiceEncoder {
  readonly name: string;
  /** Version of the model. */
  readonly version: string;
  /** Describes the voice in evenly spaced windows. @param samples Samples of ±1 at 16 kHz. */
  encode(samples: Float32Array): Promise<VoiceWindow[]>;
}

/** Window of the encoder: 160 frames of 25 ms, 10 ms apart. */
const WINDOW = 159 * 160 + 400;

/** Length of the window, in seconds. */
export const WINDOW_SECONDS = WINDOW / SAMPLE_RATE;

/** Level to which quiet speech is amplified, in dBFS, as in the training of the encoder. */
const LEVEL = -30;

/** Audio this much quieter than the loudest of an utterance is a pause, in dB. Pauses make embeddings less similar. */
const DYNAMICS = 25;

/** Length of the blocks that are kept or removed, and number of neighbours kept around a loud one. */
const BLOCK = 160;
const MARGIN = 3;

/** Loads the shipped voice encoder (https://github.com/resemble-ai/Resemblyzer, generalized end-to-end loss, Wan et al. 2018). */
export async function createVoiceEncoder(): Promise<VoiceEncoder> {
  const { session, Tensor } = await loadOnnxModel(shippedModelPath('voice-encoder.onnx'));
  return {
    name: 'voice-encoder',
    version: 'Resemblyzer 0.1.4',
    async encode(samples) {
      const { joined, blocks } = removePauses(samples);
      const { windows, starts } = cutWindows(normalize(joined));
      const { emb } = await session.run({ samples: new Tensor('float32', windows, [starts.length, WINDOW]) });
      const embeddings = emb?.data as Float32Array;
      return starts.map((start, n) => ({
        embedding: embeddings.subarray((n * embeddings.length) / starts.length, ((n + 1) * embeddings.length) / starts.length),
        at: ((blocks[Math.floor((start + WINDOW / 2) / BLOCK)] ?? blocks.at(-1) ?? 0) * BLOCK) / SAMPLE_RATE,
      }));
    },
  };
}

/** Returns the loud blocks with their neighbours, joined, and their positions. */
function removePauses(samples: Float32Array): { joined: Float32Array; blocks: number[] } {
  const count = Math.ceil(samples.length / BLOCK);
  const powers = Array.from({ length: count }, (_, n) => computePower(samples.subarray(n * BLOCK, (n + 1) * BLOCK)));
  const threshold = Math.max(...powers) * 10 ** (-DYNAMICS / 10);
  const blocks = powers.flatMap((_, n) =>
    powers.slice(Math.max(0, n - MARGIN), n + MARGIN + 1).some((power) => power >= threshold) ? [n] : [],
  );
  const joined = new Float32Array(blocks.length * BLOCK);
  blocks.forEach((block, n) => {
    joined.set(samples.subarray(block * BLOCK, (block + 1) * BLOCK), n * BLOCK);
  });
  return { joined, blocks };
}

function normalize(samples: Float32Array): Float32Array {
  const gain = Math.max(1, 10 ** (LEVEL / 20) / Math.sqrt(computePower(samples) + 1e-12));
  return samples.map((sample) => sample * gain);
}

function computePower(samples: Float32Array): number {
  return samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
}

/** Returns evenly spaced windows that cover the samples, `[n × 25840]`, and their first samples. Few samples are repeated. */
function cutWindows(samples: Float32Array): { windows: Float32Array; starts: number[] } {
  const count = Math.ceil(samples.length / WINDOW);
  const distance = count > 1 ? (samples.length - WINDOW) / (count - 1) : 0;
  const starts = Array.from({ length: count }, (_, n) => Math.round(n * distance));
  const windows = new Float32Array(count * WINDOW);
  starts.forEach((start, n) => {
    windows.set(samples.subarray(start, start + WINDOW), n * WINDOW);
  });
  for (let n = samples.length; n < windows.length && count === 1; n += 1) windows[n] = windows[n - samples.length] ?? 0;
  return { windows, starts };
}
