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

test('finds a word in any case, with punctuation', () => {
  expect(matches('AMERICANS', kennedy)).toEqual([{ text: 'Americans:', start: 4, end: 5, exact: true }]);
});

test('finds a word by its stem and marks it as inexact', () => {
  expect(matches('countries', kennedy)).toEqual([{ text: 'country', start: 9, end: 10, exact: false }]);
});

test('requires every word of the query', () => {
  expect(matches('ask country', kennedy).map(({ text }) => text)).toEqual(['ask', 'country']);
  expect(matches('ask coffee', kennedy)).toEqual([]);
});

test('finds neither parts of words nor an empty query', () => {
  expect(matches('count', kennedy)).toEqual([]);
  expect(matches(' -- ', kennedy)).toEqual([]);
});
