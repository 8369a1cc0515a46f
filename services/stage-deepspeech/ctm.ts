import type { SpokenWord, Utterance } from './engine.ts';
import type { Span } from './voice-activity.ts';

const WORD = /^(\d+) \S+ ([\d.]+) ([\d.]+) (\S+) ([\d.]+)$/gm;

/** Maximum mean length of a word, in seconds. English has 0.25 to 0.35, slow reading 0.45. Words recognised in music are longer. */
const MAX_MEAN_SECONDS = 0.6;

/** Minimum mean confidence of an utterance. */
const MIN_MEAN_CONFIDENCE = 0.2;

/**
 * Parses pocketsphinx's CTM output, one word per line: `{utterance} {channel} {start} {duration} {word} {posterior}`.
 * It drops pauses (`<s>`, `<sil>`) and noises (`[NOISE]`, `++UH++`), and the number of alternates (`the(2)`).
 * @param spans The decoded utterances by index. Times in the lines are relative to the start of their utterance.
 */
export function parseCtm(ctm: string, spans: readonly Span[]): Utterance[] {
  const words = spans.map((): SpokenWord[] => []);
  for (const [, index, start, duration, spelling = '', posterior] of ctm.matchAll(WORD)) {
    const span = spans[Number(index)];
    const text = spelling.replace(/\(\d+\)$/, '');
    if (!span || /^[<[+]/.test(text)) continue;
    const from = span.start + Number(start);
    // Rounding can make the posterior of a lattice with a single path greater than 1.
    words[Number(index)]?.push({ start: from, end: from + Number(duration), text, confidence: Math.min(1, Number(posterior)) });
  }
  return words.filter((spoken) => spoken.length > 0).map(toUtterance);
}

/**
 * Returns whether an utterance can be speech. In music and noise the recogniser also finds words, but they are long or have a low
 * confidence. On the data from which the limits were chosen, they remove all 24 words in half a minute of film music and keep
 * all 333 words in speech. The recogniser finds no words in white, pink and brown noise or in a tone.
 */
export function isPlausible({ words }: Utterance): boolean {
  return (
    mean(words.map((word) => word.end - word.start)) <= MAX_MEAN_SECONDS &&
    mean(words.map((word) => word.confidence)) >= MIN_MEAN_CONFIDENCE
  );
}

function toUtterance(unsorted: readonly SpokenWord[]): Utterance {
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
