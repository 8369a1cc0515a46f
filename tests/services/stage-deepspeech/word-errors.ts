/** Returns the words of a text in lower case, without punctuation. Apostrophes belong to a word; hyphens separate words. */
export function wordsOf(text: string): string[] {
  return text
    .toLowerCase()
    .replaceAll('’', "'")
    .replace(/[^a-z' ]/g, ' ')
    .split(' ')
    .filter(Boolean);
}

/** Returns the word error rate: substitutions, insertions and deletions per word of the reference (Levenshtein over words). */
export function computeWordErrorRate(reference: string, heard: string): number {
  const [expected, actual] = [wordsOf(reference), wordsOf(heard)];
  let row = Array.from({ length: actual.length + 1 }, (_, i) => i);
  for (const [i, word] of expected.entries()) {
    const next = [i + 1];
    for (const [j, other] of actual.entries())
      next.push(Math.min(row[j + 1]! + 1, next[j]! + 1, row[j]! + (word === other ? 0 : 1)));
    row = next;
  }
  return row.at(-1)! / expected.length;
}
