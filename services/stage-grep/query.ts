import type { Parsed } from '../../shared/core/options.ts';
import { UNSPACED } from '../../shared/core/text.ts';

/** A part of a text that is compared: a word, or a phrase of a script without spaces. */
export interface Term {
  readonly text: string;
  /** Whether it is a phrase of a script without spaces, which is found inside a longer text. */
  readonly isPhrase: boolean;
}

/**
 * Returns a text in the form in which texts are compared: NFKC, so that composed, decomposed and full-width characters are equal, in
 * lower case, with the ASCII apostrophe and without invisible characters.
 */
export function fold(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll('’', "'")
    .replace(/[\u00ad\u200b\u200e\u200f\ufeff]/g, '');
}

const phrase = `(?:(?=${UNSPACED.source})[\\p{L}\\p{N}][\\p{M}]*)+`;
const word = `(?:(?!${UNSPACED.source})[\\p{L}\\p{N}][\\p{M}\\u200c\\u200d]*)+`;
const TERM = new RegExp(`(${phrase})|${word}(?:'${word})*`, 'gu');

/** Splits a text into words and phrases without punctuation. Apostrophes and marks are kept, as in "don't" and "दान". */
export function splitTerms(text: string): Term[] {
  return [...fold(text).matchAll(TERM)].map(([found, unspaced]) => ({ text: found, isPhrase: unspaced !== undefined }));
}

/** Parses the option `query`. A query without words cannot match. */
export function parseQuery(text: string): Parsed<string> {
  if (splitTerms(text).length === 0) return { problem: 'must contain a word: a letter or a digit' };
  return { value: text.normalize('NFC').trim() };
}
