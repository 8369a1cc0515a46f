/** Scripts that separate words by a space only at the end of a phrase, with their punctuation. */
export const UNSPACED =
  /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}\u3000-\u303f\u30fb\u30fc\uff00-\uff65]/u;

/** East Asian characters, their punctuation and full-width forms, which take two columns. */
const WIDE =
  /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Hang}\p{sc=Bopo}\p{sc=Yiii}\u3000-\u303f\u30fb\u30fc\uff01-\uff60\uffe0-\uffe6]/u;
/** Half-width Katakana and Hangul. */
const HALF_WIDTH = /[\uff61-\uffdc]/;
const EMOJI = /\p{Emoji_Presentation}|\ufe0f/u;
/** Nonspacing marks, joiners and other characters without a width; of Hangul the vowels and final consonants, which join the first one. */
const WIDTHLESS = /[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]/u;

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
const words = new Intl.Segmenter(undefined, { granularity: 'word' });

/** Counts the columns of a text on a terminal or in a subtitle: full-width characters and emoji take two, marks take none. */
export function countColumns(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  const countCharacter = (character: string): number => {
    if (WIDTHLESS.test(character)) return 0;
    return WIDE.test(character) && !HALF_WIDTH.test(character) ? 2 : 1;
  };
  return Array.from(graphemes.segment(text)).reduce(
    (sum, { segment }) =>
      sum +
      (EMOJI.test(segment) ? 2 : Array.from(segment).reduce((columns, character) => columns + countCharacter(character), 0)),
    0,
  );
}

/** Splits a word of a script without spaces where a line can break, and every part that is wider than `width` columns. */
export function splitWord(word: string, width: number): string[] {
  const parts: string[] = [];
  const push = (text: string, joined: boolean): void => {
    const last = parts.at(-1);
    if (joined && last !== undefined && countColumns(last + text) <= width) parts[parts.length - 1] = last + text;
    else parts.push(text);
  };
  for (const { segment: text, isWordLike } of words.segment(word)) {
    // Punctuation stays with the word before it, and an opening bracket with the word after it.
    const joined = isWordLike !== true || /[\p{Ps}\p{Pi}]$/u.test(parts.at(-1) ?? '');
    if (countColumns(text) <= width) push(text, joined && !/^[\p{Ps}\p{Pi}]/u.test(text));
    else for (const { segment: character } of graphemes.segment(text)) push(character, true);
  }
  return parts;
}

/** Breaks text at spaces, or between words of a script without spaces, into lines of at most `width` columns. A longer word gets its own line. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter(Boolean))
    for (const [n, part] of (UNSPACED.test(word) ? splitWord(word, width) : [word]).entries()) {
      const separator = n === 0 && line !== '' ? ' ' : '';
      if (line !== '' && countColumns(line + separator + part) > width) {
        lines.push(line);
        line = part;
      } else line += separator + part;
    }
  return line === '' ? lines : [...lines, line];
}

/** Shortens text to `width` columns and marks the cut with an ellipsis. */
export function shorten(text: string, width: number): string {
  if (countColumns(text) <= width) return text;
  let short = '';
  for (const { segment } of graphemes.segment(text)) {
    if (countColumns(short + segment) > width - 1) break;
    short += segment;
  }
  return `${short}…`;
}
