import { countColumns, splitWord, UNSPACED } from '../core/text.ts';
import type { TimelineUtterance } from './timeline.ts';

/** One subtitle. Times are seconds of the input. */
export interface Cue {
  readonly start: number;
  readonly end: number;
  readonly lines: readonly string[];
  readonly speaker?: string;
}

/** Limits of a cue: columns per line, lines, and seconds (BBC Subtitle Guidelines, EBU-TT-D practice). */
const MAX_COLUMNS = 42;
const MAX_SECONDS = 7;
const MIN_SECONDS = 1;

/** Reading speed that a cue should not exceed, in columns per second (Netflix timed text style guide, adult programmes). */
const MAX_COLUMNS_PER_SECOND = 20;

/** A longer pause ends the cue, in seconds: the text of a cue appears before it is spoken. */
const MAX_PAUSE_SECONDS = 1;

/** A shorter pause is an ordinary gap between words, in seconds. */
const MIN_PAUSE_SECONDS = 0.3;

/** Duration of a cue for which no time is left, in seconds. Both formats require an end after the start. */
const MOMENT = 0.001;

/** An indivisible part of a line: a word, or a part of the text of a script without spaces. */
interface Piece {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** Separator from the previous piece: a space, or empty. */
  readonly before: string;
  /** Width of the text, in columns. */
  readonly columns: number;
  readonly speaker?: string | undefined;
}

const SENTENCE_END = /[.?!…。！？؟۔।]["'”’»」』)\]]*$/u;
const ABBREVIATION = /^\p{Lu}\p{L}{0,2}\.$/u;
const CLAUSE_END = /[,;:—–،؛、，；：]["'”’»」』)\]]*$/u;

/**
 * Divides utterances into cues. It minimises the cost of all breaks of a passage, so that cues and lines end with sentences and
 * clauses, have similar lengths, and can be read in time. A cue is extended into the pause after it if it would be too short.
 * @param duration Duration of the input, in seconds. No cue is extended beyond it.
 */
export function toCues(utterances: readonly TimelineUtterance[], duration = Infinity): Cue[] {
  return schedule(toPassages(utterances.flatMap(toPieces)).flatMap(divide), duration);
}

/** Groups pieces that can share a cue: same speaker, no long pause. */
function toPassages(pieces: readonly Piece[]): Piece[][] {
  const passages: Piece[][] = [];
  for (const piece of pieces) {
    const last = passages.at(-1)?.at(-1);
    if (last?.speaker === piece.speaker && piece.start - (last?.end ?? -Infinity) <= MAX_PAUSE_SECONDS)
      passages.at(-1)?.push(piece);
    else passages.push([piece]);
  }
  return passages;
}

function toPieces({ start, end, text, words, speaker }: TimelineUtterance): Piece[] {
  let at = 0;
  // Without word times, the time of the utterance is divided by the length of the words.
  return (words.length > 0 ? words : interpolate(text.split(/\s+/), start, end)).flatMap((word) => {
    const found = text.indexOf(word.text, at);
    const spaced = at === 0 ? countColumns(Array.from(word.text)[0] ?? '') < 2 : found < 0 || /\s/.test(text.slice(at, found));
    if (found >= 0) at = found + word.text.length;
    return interpolate(segment(word.text.replace(/[\s\p{Cc}]+/gu, ' ').trim()), word.start, word.end).map((piece, n) => ({
      ...piece,
      before: spaced && n === 0 ? ' ' : '',
      columns: countColumns(piece.text),
      speaker,
    }));
  });
}

/** Divides a span among texts in proportion to their lengths. */
function interpolate(texts: readonly string[], start: number, end: number): { text: string; start: number; end: number }[] {
  const total = texts.join('').length;
  let done = 0;
  const at = (): number => start + ((end - start) * done) / total;
  return texts.filter(Boolean).map((text) => {
    const from = at();
    done += text.length;
    return { text, start: from, end: at() };
  });
}

/** Splits a word of a script without spaces where lines can break, and any word that is longer than a line. */
function segment(word: string): string[] {
  return UNSPACED.test(word) || countColumns(word) > MAX_COLUMNS ? splitWord(word, MAX_COLUMNS) : [word];
}

/** Divides a passage at the breaks with the lowest total cost (dynamic programming over the last break). */
function divide(pieces: readonly Piece[]): Cue[] {
  const best: { cost: number; from: number }[] = [{ cost: 0, from: 0 }];
  for (let to = 1; to <= pieces.length; to += 1) {
    best[to] = { cost: Infinity, from: to - 1 };
    for (let from = to - 1; from >= 0; from -= 1) {
      const cue = pieces.slice(from, to);
      if (cue.length > 1 && (spanOf(cue) > MAX_SECONDS || !layOut(cue))) break;
      const cost = (best[from]?.cost ?? 0) + computeCost(cue, pieces[to]);
      if (cost < (best[to]?.cost ?? Infinity)) best[to] = { cost, from };
    }
  }
  const cues: Cue[] = [];
  for (let to = pieces.length; to > 0; to = best[to]?.from ?? 0) cues.unshift(toCue(pieces.slice(best[to]?.from, to)));
  return cues;
}

function toCue(pieces: readonly Piece[]): Cue {
  const { start = 0, speaker } = pieces[0] ?? {};
  const lines = layOut(pieces)?.map((line) => line.map(({ text, before }, n) => (n === 0 ? text : before + text)).join(''));
  return { start, end: pieces.at(-1)?.end ?? start, lines: lines ?? [], ...(speaker !== undefined && { speaker }) };
}

/** Returns the cost of a cue and of the break after it, relative to that of one more cue. */
function computeCost(cue: readonly Piece[], next: Piece | undefined): number {
  const columns = sumColumns(cue);
  const shown = Math.min(Math.max(spanOf(cue), readingTime(columns)), (next?.start ?? Infinity) - (cue[0]?.start ?? 0));
  const hurry = Math.min(3, Math.max(0, readingTime(columns) / Math.max(shown, MOMENT) - 1));
  const stub = Math.max(0, 1 - columns / MAX_COLUMNS) ** 2;
  return 1 + 3 * breakCost(cue.at(-1), next) + 2 * hurry + stub;
}

/** Returns the cost of a break: 0 at the end of a sentence to 1 within a clause. */
function breakCost(last: Piece | undefined, next: Piece | undefined): number {
  if (!last || !next) return 0;
  const pause = next.start - last.end >= MIN_PAUSE_SECONDS;
  if (SENTENCE_END.test(last.text) && (pause || !ABBREVIATION.test(last.text))) return 0;
  if (CLAUSE_END.test(last.text)) return 0.3;
  return pause ? 0.5 : 1;
}

/** Returns the pieces as one line, or two of similar length; undefined if they do not fit. */
function layOut(pieces: readonly Piece[]): (readonly Piece[])[] | undefined {
  const total = sumColumns(pieces);
  if (total <= MAX_COLUMNS) return [pieces];
  let best: { cost: number; at: number } | undefined;
  let upper = pieces[0]?.columns ?? 0;
  for (let at = 1; at < pieces.length && upper <= MAX_COLUMNS; at += 1) {
    const { columns = 0, before = '' } = pieces[at] ?? {};
    const lower = total - upper - before.length;
    const cost = Math.abs(upper - lower) / MAX_COLUMNS + 0.5 * breakCost(pieces[at - 1], pieces[at]);
    if (lower <= MAX_COLUMNS && cost < (best?.cost ?? Infinity)) best = { cost, at };
    upper += before.length + columns;
  }
  return best && [pieces.slice(0, best.at), pieces.slice(best.at)];
}

function sumColumns(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { columns, before }, n) => sum + columns + (n === 0 ? 0 : before.length), 0);
}

/** Extends cues that are too short to be read, at most to the start of the next one, and removes overlaps. */
function schedule(cues: readonly Cue[], duration: number): Cue[] {
  let free = 0;
  return cues.map((cue, n) => {
    const start = Math.max(cue.start, free);
    const wanted = Math.max(cue.end, start + readingTime(countColumns(cue.lines.join(' '))));
    const limit = Math.min(start + MAX_SECONDS, cues[n + 1]?.start ?? Math.max(cue.end, duration));
    free = Math.max(start + MOMENT, Math.min(wanted, limit));
    return { ...cue, start, end: free };
  });
}

function readingTime(columns: number): number {
  return Math.max(MIN_SECONDS, columns / MAX_COLUMNS_PER_SECOND);
}

function spanOf(pieces: readonly Piece[]): number {
  return (pieces.at(-1)?.end ?? 0) - (pieces[0]?.start ?? 0);
}
