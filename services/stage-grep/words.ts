import { stemmer } from 'stemmer';
import type { MatchedWord, Transcript, Word } from '../../schemas/generated/types.ts';

/** Words of a text, lower case, without punctuation; apostrophes stay, as in "don't". */
export function wordsOf(text: string): string[] {
  return (
    text
      .toLowerCase()
      .replaceAll('’', "'")
      .match(/[\p{L}\p{N}]+(?:'[\p{L}\p{N}]+)*/gu) ?? []
  );
}

/**
 * The spoken words that answer a query: every word of the query must be spoken, as it stands or with the same stem
 * (Porter 1980, English: "fellows" answers "fellow"). Empty where one is missing.
 */
export function matches(query: string, transcript: Transcript): MatchedWord[] {
  const wanted = new Set(wordsOf(query));
  const stems = new Set([...wanted].map((word) => stemmer(word)));
  const spoken = transcript.utterances.flatMap(({ words }) => words).flatMap((word) => answersOf(word, wanted, stems));
  const heard = new Set(spoken.flatMap(({ text }) => wordsOf(text).map((word) => stemmer(word))));
  return stems.size > 0 && [...stems].every((stem) => heard.has(stem)) ? spoken : [];
}

function answersOf({ text, start, end }: Word, wanted: ReadonlySet<string>, stems: ReadonlySet<string>): MatchedWord[] {
  const words = wordsOf(text);
  if (!words.some((word) => stems.has(stemmer(word)))) return [];
  return [{ text, start, end, exact: words.some((word) => wanted.has(word)) }];
}
