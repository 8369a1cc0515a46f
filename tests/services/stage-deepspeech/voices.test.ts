import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Utterance } from '../../../services/stage-deepspeech/engine.ts';
import { createVoiceEncoder, type VoiceEncoder } from '../../../services/stage-deepspeech/speakers/voice-encoder.ts';
import { addVoices } from '../../../services/stage-deepspeech/speakers/voices.ts';
import type { OptionMap } from '../../../shared/core/options.ts';
import { nameSpeakers } from '../../../shared/results/speakers.ts';
import { findMedia, generateMedia, NO_MEDIA, speech, writeMedia } from '../../support/media.ts';
import { wavFile } from '../../support/wav.ts';
import { extractSpeech, transcribe } from './clip.ts';

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

async function encode(encoder: VoiceEncoder, samples: Float32Array): Promise<Float32Array> {
  const [window] = await encoder.encode(samples);
  return window!.embedding;
}

describe('createVoiceEncoder', () => {
  it('returns the embedding of the reference implementation, at any volume', async () => {
    const encoder = await createVoiceEncoder();
    const vowel = createVowel();
    const reference = Buffer.from(REFERENCE, 'base64');
    expect(computeCosine(await encode(encoder, vowel), reference)).toBeGreaterThan(0.9999);
    const quiet = await encode(
      encoder,
      vowel.map((sample) => sample * 0.01),
    );
    const quieter = await encode(
      encoder,
      vowel.map((sample) => sample * 0.001),
    );
    expect(computeCosine(quiet, quieter)).toBeGreaterThan(0.9999);
  });

  it('ignores pauses', async () => {
    const encoder = await createVoiceEncoder();
    const vowel = createVowel();
    const padded = new Float32Array(vowel.length * 3);
    padded.set(vowel, vowel.length);
    expect(computeCosine(await encode(encoder, padded), await encode(encoder, vowel))).toBeGreaterThan(0.95);
    const [{ at } = { at: 0 }] = await encoder.encode(padded);
    expect(at).toBeGreaterThan(1.5 * 1.615 - 0.1);
    expect(at).toBeLessThan(1.5 * 1.615 + 0.1);
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
    for (const seconds of [3, 60]) {
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

  it('splits an utterance of two speakers at the sentence nearest to the change, and none of one speaker', async ({ skip }) => {
    const media = findMedia('long-5min.mp4');
    if (media === undefined) return skip(NO_MEDIA);
    const [first, second] = [extractSpeech('first.wav', media, 46, 52), extractSpeech('second.wav', media, 207, 211.5)];
    const wav = generateMedia('both.wav', '-i', first, '-i', second, '-filter_complex', 'concat=n=2:v=0:a=1');
    // Words of 0.3 s; a sentence begins at 3.9 s, 6 s (where the speaker changes) and 9 s.
    const words = Array.from({ length: 35 }, (_, n) => {
      const text = `w${n}${[12, 19, 29].includes(n) ? '.' : ''}`;
      return { start: n * 0.3, end: n * 0.3 + 0.25, text, confidence: 1 };
    });
    const text = words.map((word) => word.text).join(' ');
    const encoder = await createVoiceEncoder();
    const both = await addVoices([{ start: 0, end: 10.5, text, words }], wav, encoder);
    expect(both.map(({ start, words: [word] }) => [start, word?.text])).toEqual([
      [0, 'w0'],
      [6, 'w20'],
    ]);
    expect(both.map((utterance) => utterance.text).join(' ')).toBe(text);
    expect(nameSpeakers(both)).toEqual(['speaker 1', 'speaker 2']);
    // Without sentences, the nearest words decide.
    const plain = words.map((word) => ({ ...word, text: word.text.replace('.', '') }));
    const [, next] = await addVoices([{ start: 0, end: 10.5, text: text.replaceAll('.', ''), words: plain }], wav, encoder);
    expect(Math.abs((next?.start ?? 0) - 6)).toBeLessThanOrEqual(0.9);
    const one = [{ start: 5, end: 33, text, words: words.map((word) => ({ ...word, start: 5 + word.start })) }];
    expect(await addVoices(one, extractSpeech('readers.wav', media), encoder)).toHaveLength(1);
  });
});

describe('option speakers', () => {
  it('describes voices by default, and none with speakers=none', async () => {
    const counting = extractSpeech('counting.wav', speech('voice.wav', 'one two three four five six seven'));
    const voices = async (options: OptionMap): Promise<boolean[]> => {
      const { transcript, ran } = await transcribe(counting, 0, { options });
      expect('voice-encoder' in ran.used).toBe(options['speakers'] !== 'none');
      return transcript.utterances.map((utterance) => 'voice' in utterance);
    };
    expect(await voices({})).toContain(true);
    expect(await voices({ speakers: 'none' })).not.toContain(true);
  });
});
