import { describe, expect, it } from 'vitest';
import { isPlausible, parseCtm } from '../../../services/stage-deepspeech/ctm.ts';
import type { Utterance } from '../../../services/stage-deepspeech/engine.ts';

// Recorded from pocketsphinx_batch 0.8+5prealpha; the lines with other marks are from its -time output.
const recorded = `0 1 0.21 0.16 and 0.123
0 1 0.38 0.25 mr 0.937
0 1 0.64 0.34 john 0.904
1 1 0.29 0.39 and 0.975
1 1 0.03 0.22 <sil> 0.541
1 1 0.69 0.28 all(2) 0.261
1 1 0.98 0.25 my 1.001
1 1 1.30 0.25 [NOISE] 0.900
1 1 1.60 0.25 ++UH++ 0.900
`;

const spans = [
  { start: 10, end: 12 },
  { start: 20, end: 23 },
];

function utterance(words: number, seconds: number, confidence: number): Utterance {
  const word = { start: 0, end: seconds, text: 'la', confidence };
  return { start: 0, end: words * seconds, text: '', words: Array.from({ length: words }, () => word) };
}

describe('parseCtm', () => {
  const utterances = parseCtm(recorded, spans);

  it('gives each utterance its words, without pauses, noises and numbers of alternates', () => {
    expect(utterances.map(({ text }) => text)).toEqual(['and mr john', 'and all my']);
  });

  it('gives times from the beginning of the clip', () => {
    expect(utterances[0]?.words[1]).toEqual({
      start: 10.38,
      end: expect.closeTo(10.63) as number,
      text: 'mr',
      confidence: 0.937,
    });
    expect(utterances[1]).toMatchObject({ start: 20.29, end: expect.closeTo(21.23) as number });
  });

  it('gives confidences from 0 to 1', () => {
    expect(utterances[1]?.words.map(({ confidence }) => confidence)).toEqual([0.975, 0.261, 1]);
  });

  it('returns nothing for empty output and for unknown utterances', () => {
    expect(parseCtm('', spans)).toEqual([]);
    expect(parseCtm('7 1 0.21 0.16 and 0.123', spans)).toEqual([]);
  });
});

describe('isPlausible', () => {
  it('accepts ordinary words with a low confidence', () => {
    expect(isPlausible(utterance(8, 0.3, 0.36))).toBe(true);
    expect(isPlausible(utterance(1, 0.5, 0.9))).toBe(true);
  });

  it('rejects few long words as music', () => {
    expect(isPlausible(utterance(6, 1.03, 0.54))).toBe(false);
  });

  it('rejects words with a very low confidence as noise', () => {
    expect(isPlausible(utterance(1, 0.32, 0.1))).toBe(false);
  });
});
