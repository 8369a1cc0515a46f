import { describe, expect, it } from 'vitest';
import { nullEngine, type SpokenWord } from '../../../services/stage-deepspeech/engine.ts';
import { toTranscript } from '../../../services/stage-deepspeech/transcript.ts';

const word = (start: number, end: number, text = 'word'): SpokenWord => ({ start, end, text, confidence: 0.123_456 });
const heard = (...words: readonly SpokenWord[]): Parameters<typeof toTranscript>[1] => ({
  language: 'en',
  utterances: words.map((w) => ({ start: w.start, end: w.end, text: w.text, words: [w] })),
});

describe('toTranscript', () => {
  it('returns times of the source, rounded to milliseconds', () => {
    const { start, end, utterances } = toTranscript(nullEngine, heard(word(0.12345, 0.5)), { start: 10.00004, end: 20 });
    expect({ start, end }).toEqual({ start: 10, end: 20 });
    expect(utterances).toEqual([
      { start: 10.123, end: 10.5, text: 'word', words: [{ start: 10.123, end: 10.5, text: 'word', confidence: 0.123 }] },
    ]);
  });

  it('keeps words within the clip, and none that begins after it', () => {
    const { text, utterances } = toTranscript(
      nullEngine,
      heard(word(-0.1, 0.2, 'early'), word(4.8, 5.3, 'late'), word(5, 6, 'never')),
      { start: 1, end: 6 },
    );
    expect(text).toBe('early late');
    expect(utterances.map(({ start, end }) => [start, end])).toEqual([
      [1, 1.2],
      [5.8, 6],
    ]);
  });

  it('returns an empty transcript with the engine for silence', () => {
    expect(toTranscript(nullEngine, { language: null, utterances: [] }, { start: 0, end: 1 })).toEqual({
      engine: 'none',
      model: null,
      language: null,
      start: 0,
      end: 1,
      text: '',
      utterances: [],
    });
  });
});
