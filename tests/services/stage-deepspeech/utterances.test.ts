import { describe, expect, it } from 'vitest';
import { toUtterances, toWords } from '../../../services/stage-deepspeech/whisper/utterances.ts';
import { computeCompression } from '../../../services/stage-deepspeech/whisper/whisper.ts';

const token = (word: string, start: number, end: number, probability = 1) => ({ word, start, end, probability });
const segment = (words: ReturnType<typeof token>[], about = {}) => ({
  start: 0,
  end: 1,
  text: words.map(({ word }) => word).join(''),
  avg_logprob: -0.2,
  no_speech_prob: 0.1,
  words,
  ...about,
});
const spoken = (...words: [text: string, start: number, end: number][]) =>
  words.map(([text, start, end]) => ({ text, start, end, confidence: 1 }));

describe('toWords', () => {
  it('joins tokens to words with their mean confidence, and drops control tokens', () => {
    const tokens = [token('[_BEG_]', 0, 0), token(' ask', 0, 1, 0.8), token('ing', 1, 1.5, 0.6), token(' not', 1.5, 2)];
    const words = toWords({ segments: [segment(tokens)] });
    expect(words.map(({ text, start, end }) => [text, start, end])).toEqual([
      ['asking', 0, 1.5],
      ['not', 1.5, 2],
    ]);
    expect(words[0]!.confidence).toBeCloseTo(0.7);
  });

  it('drops descriptions of sounds and unlikely segments that are probably no speech', () => {
    const sound = segment([token(' [Music]', 0, 1)]);
    const unlikely = segment([token(' Thanks', 0, 1)], { avg_logprob: -1.5, no_speech_prob: 0.9 });
    const quiet = segment([token(' yes', 0, 1)], { avg_logprob: -1.5 });
    expect(toWords({ segments: [sound, unlikely, quiet] }).map(({ text }) => text)).toEqual(['yes']);
  });

  it('begins a word at each token of a script without spaces', () => {
    const words = toWords({ segments: [segment([token('你', 0, 1), token('好', 1, 2), token('。', 2, 2)])] });
    expect(words.map(({ text }) => text)).toEqual(['你', '好。']);
    const window = { duration: 2, parts: [{ start: 0, end: 2, at: 0 }] };
    expect(toUtterances(words, window)[0]!.text).toBe('你好。');
  });
});

describe('toUtterances', () => {
  const window = {
    duration: 9,
    parts: [
      { start: 10, end: 14, at: 0 },
      { start: 20, end: 25, at: 4 },
    ],
  };

  it('maps words to the clip and begins each span with the detected speech', () => {
    const [first, second] = toUtterances(spoken(['one', 0.5, 1], ['two.', 1, 3.9], ['three', 4.4, 5]), window);
    expect(first).toMatchObject({ start: 10.2, text: 'one two.' });
    expect(first!.words[1]).toMatchObject({ start: 11, end: 13.9 });
    expect(second).toMatchObject({ start: 20.2, end: 21, text: 'three' });
  });

  it('moves the start of a sentence to the span after the pause', () => {
    const words = spoken(['country.', 1, 3], ['Unless', 3.2, 3.6], ['to', 3.6, 3.9], ['be', 4.3, 5]);
    expect(toUtterances(words, window).map(({ text }) => text)).toEqual(['country.', 'Unless to be']);
  });

  it('keeps words inside the spans of speech', () => {
    for (const { words } of toUtterances(spoken(['a', 0, 6], ['b', 3.9, 4.1], ['c', 8, 12]), window))
      for (const { start, end } of words) {
        expect(end).toBeGreaterThanOrEqual(start);
        expect(window.parts.some((part) => start >= part.start && end <= part.end)).toBe(true);
      }
  });

  it('ends a long utterance with its sentence', () => {
    const long = { duration: 20, parts: [{ start: 0, end: 20, at: 0 }] };
    const words = spoken(['Yes.', 0.5, 1], ['It', 1, 2], ['is.', 2, 6], ['No.', 6, 7], ['Really.', 7, 8]);
    expect(toUtterances(words, long).map(({ text }) => text)).toEqual(['Yes. It is.', 'No. Really.']);
  });

  it('joins a short fragment with the utterance that follows soon', () => {
    const near = {
      duration: 4,
      parts: [
        { start: 0, end: 1, at: 0 },
        { start: 2, end: 5, at: 1 },
      ],
    };
    expect(toUtterances(spoken(['1.', 0.3, 0.8], ['From', 1.3, 2], ['fairest', 2, 3]), near)).toMatchObject([
      { start: 0.2, text: '1. From fairest' },
    ]);
    const far = {
      duration: 4,
      parts: [
        { start: 0, end: 1, at: 0 },
        { start: 6, end: 9, at: 1 },
      ],
    };
    expect(toUtterances(spoken(['1.', 0.3, 0.8], ['From', 1.3, 2]), far)).toHaveLength(2);
  });
});

describe('computeCompression', () => {
  it('exceeds the limit for a loop only', () => {
    expect(computeCompression('the country '.repeat(20))).toBeGreaterThan(2.4);
    expect(computeCompression('And so, my fellow Americans, ask not what your country can do for you.')).toBeLessThan(2.4);
  });
});
