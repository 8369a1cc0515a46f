import type { SpokenWord, Utterance } from './engine.ts';
import type { Span } from './voice-activity.ts';

const WORD = /^(\d+) \S+ ([\d.]+) ([\d.]+) (\S+) ([\d.]+)$/gm;

/** Mean seconds a word: English has 0.25 to 0.35, slow reading 0.45. Words found in music last longer, as few fit it. */
const LONGEST_MEAN = 0.6;

/** Mean confidence of an utterance below which its words are guesses. */
const LEAST_MEAN = 0.2;

/**
 * Reads pocketsphinx's CTM output: a line a word, `{utterance} {channel} {start} {duration} {word} {posterior}`.
 * Pauses (`<s>`, `<sil>`) and noises (`[NOISE]`, `++UH++`) are left out, alternates (`the(2)`) get their spelling back.
 * @param spans - the utterances that were decoded, named by their index; times in the lines count from their beginnings
 */
export function parseCtm(ctm: string, spans: readonly Span[]): Utterance[] {
  const words = spans.map((): SpokenWord[] => []);
  for (const [, index, start, duration, spelling = '', posterior] of ctm.matchAll(WORD)) {
    const span = spans[Number(index)];
    const text = spelling.replace(/\(\d+\)$/, '');
    if (!span || /^[<[+]/.test(text)) continue;
    const from = span.start + Number(start);
    // The posterior of a lattice with one path only can exceed 1 by its rounding.
    words[Number(index)]?.push({ start: from, end: from + Number(duration), text, confidence: Math.min(1, Number(posterior)) });
  }
  return words.filter((spoken) => spoken.length > 0).map(utteranceOf);
}

/**
 * Whether an utterance can be speech. In music and noise the recogniser also finds words: few long ones, or ones it does not
 * believe itself. Measured on what the limits were chosen from: of the 24 words in half a minute of film music none is left, of 333 words in speech all are; white,
 * pink and brown noise and a tone give none to begin with.
 */
export function isPlausible({ words }: Utterance): boolean {
  return (
    mean(words.map((word) => word.end - word.start)) <= LONGEST_MEAN && mean(words.map((word) => word.confidence)) >= LEAST_MEAN
  );
}

function utteranceOf(unsorted: readonly SpokenWord[]): Utterance {
  const words = unsorted.toSorted((a, b) => a.start - b.start);
  return {
    start: Math.min(...words.map((word) => word.start)),
    end: Math.max(...words.map((word) => word.end)),
    text: words.map((word) => word.text).join(' '),
    words,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
