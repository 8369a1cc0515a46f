import { expect, test } from 'vitest';
import type { Transcript } from '../../../schemas/generated/types.ts';
import { matches } from '../../../services/stage-grep/words.ts';

function saying(text: string): Transcript {
  const words = text.split(' ').map((word, n) => ({ text: word, start: n, end: n + 1 }));
  return {
    engine: 'none',
    model: null,
    language: 'en',
    start: 0,
    end: words.length,
    text,
    utterances: [{ start: 0, end: words.length, text, words }],
  };
}

const kennedy = saying('and so, my fellow Americans: ask not what your country can do for you');

test('a word is found as it stands, whatever its case and punctuation', () => {
  expect(matches('AMERICANS', kennedy)).toEqual([{ text: 'Americans:', start: 4, end: 5, exact: true }]);
});

test('a word is found by its stem, and says so', () => {
  expect(matches('countries', kennedy)).toEqual([{ text: 'country', start: 9, end: 10, exact: false }]);
});

test('every word of the query must be spoken', () => {
  expect(matches('ask country', kennedy).map(({ text }) => text)).toEqual(['ask', 'country']);
  expect(matches('ask coffee', kennedy)).toEqual([]);
});

test('a part of a word is not the word, and no words find nothing', () => {
  expect(matches('count', kennedy)).toEqual([]);
  expect(matches(' -- ', kennedy)).toEqual([]);
});
