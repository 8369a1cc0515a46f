import { stemmer } from 'stemmer';
import type { MatchedWord, Transcript, Word } from '../../schemas/generated/types.ts';

/** Splits a text into lower-case words without punctuation. Apostrophes are kept, as in "don't". */
export function splitWords(text: string): string[] {
  return (
    text
      .toLowerCase()
      .replaceAll('’', "'")
      .match(/[\p{L}\p{N}]+(?:'[\p{L}\p{N}]+)*/gu) ?? []
  );
}

/**
 * Returns the spoken words that match a query. Every word of the query must be spoken, exactly or with the same stem (Porter 1980,
 * English: "fellows" matches "fellow"). The result is empty if one is missing.
 */
export function matches(query: string, transcript: Transcript): MatchedWord[] {
  const wanted = new Set(splitWords(query));
  const stems = new Set([...wanted].map((word) => stemmer(word)));
  const spoken = transcript.utterances.flatMap(({ words }) => words).flatMap((word) => matchWord(word, wanted, stems));
  const spokenStems = new Set(spoken.flatMap(({ text }) => splitWords(text).map((word) => stemmer(word))));
  return stems.size > 0 && [...stems].every((stem) => spokenStems.has(stem)) ? spoken : [];
}

function matchWord({ text, start, end }: Word, wanted: ReadonlySet<string>, stems: ReadonlySet<string>): MatchedWord[] {
  const words = splitWords(text);
  if (!words.some((word) => stems.has(stemmer(word)))) return [];
  return [{ text, start, end, exact: words.some((word) => wanted.has(word)) }];
}
