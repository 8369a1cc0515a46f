import { stemmer } from 'stemmer';
import type { MatchedWord, Transcript, Word } from '../../schemas/generated/types.ts';
import { fold, splitTerms } from './query.ts';

/**
 * Returns the spoken words that match a query. Every word of the query must be spoken, exactly or with the same stem (Porter 1980,
 * English: "fellows" matches "fellow"); a phrase of a script without spaces may be part of a longer text. The result is empty if one
 * is missing.
 */
export function matches(query: string, transcript: Transcript): MatchedWord[] {
  const spoken = transcript.utterances.flatMap(({ words }) => words);
  const terms = splitTerms(query);
  const found = new Map<Word, boolean>();
  for (const { text, isPhrase } of terms) {
    const matched = isPhrase ? findPhrase(text, spoken) : findWord(text, spoken);
    if (matched.size === 0) return [];
    for (const [word, exact] of matched) found.set(word, exact || found.get(word) === true);
  }
  return spoken.flatMap((word) => {
    const exact = found.get(word);
    return exact === undefined ? [] : [{ text: word.text, start: word.start, end: word.end, exact }];
  });
}

/** Returns the spoken words with the stem of `wanted`, and whether each is the same word. */
function findWord(wanted: string, spoken: readonly Word[]): Map<Word, boolean> {
  const stem = stemmer(wanted);
  return new Map(
    spoken.flatMap((word) => {
      const texts = splitTerms(word.text).map(({ text }) => text);
      return texts.some((text) => stemmer(text) === stem) ? [[word, texts.includes(wanted)] as const] : [];
    }),
  );
}

/** Returns the spoken words that contain the phrase, together or alone. Engines divide such text into words of any length. */
function findPhrase(wanted: string, spoken: readonly Word[]): Map<Word, boolean> {
  const ends: number[] = [];
  let text = '';
  for (const word of spoken) ends.push((text += fold(word.text).replace(/\s/g, '')).length);
  const found = new Map<Word, boolean>();
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1))
    spoken.forEach((word, n) => {
      if ((ends[n] ?? 0) > at && (ends[n - 1] ?? 0) < at + wanted.length) found.set(word, true);
    });
  return found;
}
