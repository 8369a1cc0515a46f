import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Utterance } from '../../../services/stage-deepspeech/engine.ts';
import { addVoices, createVoiceEncoder } from '../../../services/stage-deepspeech/voices.ts';
import { nameSpeakers } from '../../../shared/results/speakers.ts';
import { findMedia, NO_MEDIA, writeMedia } from '../../support/media.ts';
import { wavFile } from '../../support/wav.ts';
import { extractSpeech } from './clip.ts';

/**
 * Embedding of {@link createVowel} by Resemblyzer 0.1.4, with the spectrogram of librosa 0.11 (`n_fft=400, hop_length=160, n_mels=40,
 * center=False`), divided by its largest component and rounded to bytes.
 */
const REFERENCE =
  'AAAAAAAAAQA6AHtSADAAAABHeAAUKgAAAFYAAAAAAABQAAAkfwAAAAAAQxwAAAAAfroAlwAAAAAAZQAAAAAAbWwAAGwAAAAAACR7AABVByYAAGF2RAAARABSABmjQwAAAAAAAKC+AAApiCRfAABFXgBMAAAAAAAA2Rm3FX1QAIsbAAAAujwqAAAAABT/AIcUACHXAIoAB8EAAAAABgDPbgAAYxxmlRpuNgAAAAAAAB1LAgBDhwAAAAAAACgAGlIZAAAAHjduqkYAYV96ACwAAAAAAABAfQBCAADCAGwAAAASAAAEAAAAABsAADxqAJufIlxXAAAAlgCiAABuAAAAAA==';

/** Creates a vowel of 20 harmonics whose pitch varies between 100 and 140 Hz, as long as a window of the encoder. */
function createVowel(): Float32Array {
  let phase = 0;
  return Float32Array.from({ length: 25_840 }, (_, n) => {
    phase += (2 * Math.PI * (120 + 20 * Math.sin((2 * Math.PI * 1.5 * n) / 16_000))) / 16_000;
    return 0.2 * Array.from({ length: 20 }, (_, k) => Math.sin((k + 1) * phase) / (k + 1)).reduce((sum, value) => sum + value, 0);
  });
}

function computeCosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const dot = (x: ArrayLike<number>, y: ArrayLike<number>): number =>
    Array.from(x).reduce((sum, value, n) => sum + value * (y[n] ?? 0), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

describe('createVoiceEncoder', () => {
  it('returns the embedding of the reference implementation, at any volume', async () => {
    const encoder = await createVoiceEncoder();
    const vowel = createVowel();
    const reference = Buffer.from(REFERENCE, 'base64');
    expect(computeCosine(await encoder.encode(vowel), reference)).toBeGreaterThan(0.9999);
    const quiet = await encoder.encode(vowel.map((sample) => sample * 0.01));
    const quieter = await encoder.encode(vowel.map((sample) => sample * 0.001));
    expect(computeCosine(quiet, quieter)).toBeGreaterThan(0.9999);
  });

  it('ignores pauses', async () => {
    const encoder = await createVoiceEncoder();
    const vowel = createVowel();
    const padded = new Float32Array(vowel.length * 3);
    padded.set(vowel, vowel.length);
    expect(computeCosine(await encoder.encode(padded), await encoder.encode(vowel))).toBeGreaterThan(0.98);
  });
});

describe('addVoices', () => {
  it('adds 256 bytes to an utterance, and none to one that is too short', async () => {
    const samples = Int16Array.from(createVowel(), (sample) => sample * 32_767);
    const path = writeMedia('vowel.wav', wavFile(samples, { rate: 16_000 }));
    const utterance = (start: number, end: number): Utterance => ({ start, end, text: 'a', words: [] });
    const [long, short] = await addVoices([utterance(0, 1.6), utterance(1, 1.2)], path, await createVoiceEncoder());
    expect(Buffer.from(long?.voice ?? '', 'base64')).toHaveLength(256);
    expect(short).toEqual(utterance(1, 1.2));
  });

  it('distinguishes the three readers of a recording', async ({ skip }) => {
    const media = findMedia('long-5min.mp4');
    if (media === undefined) return skip(NO_MEDIA);
    const truth = JSON.parse(readFileSync(media.replace(/mp4$/, 'truth.json'), 'utf8')) as {
      segments: { start: number; end: number; source: string }[];
    };
    const encoder = await createVoiceEncoder();
    const wav = extractSpeech('readers.wav', media);
    for (const seconds of [2, 4, 60]) {
      const utterances = truth.segments.flatMap(({ start, end, source }) => {
        const parts = Math.max(1, Math.round((end - start) / seconds));
        const at = (n: number): number => start + ((end - start) * n) / parts;
        return Array.from({ length: parts }, (_, n) => ({ start: at(n), end: at(n + 1), text: source.slice(0, 8), words: [] }));
      });
      const names = nameSpeakers(await addVoices(utterances, wav, encoder));
      const readers = [...new Set(utterances.map(({ text }) => text))];
      expect(names).toEqual(utterances.map(({ text }) => `speaker ${readers.indexOf(text) + 1}`));
    }
  });
});
