import type { SpokenWord, Utterance } from '../engine.ts';
import { MARGIN_SECONDS } from '../voice-activity.ts';
import { MAX_ERROR_SECONDS, type Window, type WindowPart } from '../windows.ts';

/** Used parts of the `verbose_json` of whisper-server. Times are seconds of the window. */
export interface VerboseJson {
  readonly segments?: readonly {
    readonly start: number;
    readonly end: number;
    readonly text: string;
    readonly avg_logprob: number;
    readonly no_speech_prob: number;
    readonly words?: readonly Token[];
  }[];
  /** Probabilities by language, if they were requested. */
  readonly language_probabilities?: Readonly<Record<string, number>>;
}

interface Token {
  readonly word: string;
  readonly start: number;
  readonly end: number;
  readonly probability: number;
}

/** Maximum length of an utterance in seconds after which it ends at the next sentence. */
const LONG_SECONDS = 4;

/** A fragment of at most this length joins the next utterance, if the pause between them is shorter than the second value, in seconds. */
const FRAGMENT_SECONDS = 1;
const FRAGMENT_PAUSE_SECONDS = 2;

/** Segments below this mean log probability that are also likely to be no speech are dropped, as in OpenAI's decoder. */
const MIN_LOGPROB = -1;
const MAX_NO_SPEECH = 0.6;

/** Scripts without spaces between words. */
const UNSPACED = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;

/** Joins tokens to words. A token with a leading space, or of a script without spaces, begins a word. Drops control tokens, descriptions of sounds and unlikely segments. */
export function toWords({ segments = [] }: VerboseJson): SpokenWord[] {
  const groups: Token[][] = [];
  for (const { text, words = [], avg_logprob, no_speech_prob } of segments) {
    if (isSound(text) || (avg_logprob < MIN_LOGPROB && no_speech_prob > MAX_NO_SPEECH)) continue;
    for (const token of words.filter(({ word }) => !/^\[_.*\]$/.test(word))) {
      const last = groups.at(-1);
      if (!last || token.word.startsWith(' ') || UNSPACED.test(token.word.charAt(0))) groups.push([token]);
      else last.push(token);
    }
  }
  return groups
    .map((tokens) => ({
      start: tokens[0]?.start ?? 0,
      end: tokens.at(-1)?.end ?? 0,
      text: tokens
        .map(({ word }) => word)
        .join('')
        .trim(),
      // The mean: a product would be low for every long word.
      confidence: tokens.reduce((sum, { probability }) => sum + probability, 0) / tokens.length,
    }))
    .filter(({ text }) => text !== '');
}

/** Returns whether a segment describes a sound: `[BLANK_AUDIO]`, `(music)`, `♪`. */
export function isSound(text: string): boolean {
  return /^\s*(\[[^\]]*\]|\([^)]*\)|\*[^*]*\*|[♪\s]+)\s*$/.test(text);
}

/**
 * Returns the utterances of a window, with times of the clip. Words are assigned to the spans of speech and limited to them. The first
 * word of a span begins with the detected speech, which is more exact than the time of the engine. An utterance ends at a pause, and
 * at the end of a sentence if it is long.
 */
export function toUtterances(words: readonly SpokenWord[], { parts }: Window): Utterance[] {
  const utterances: SpokenWord[][] = [];
  let from = 0;
  for (const [n, part] of parts.entries()) {
    const next = parts[n + 1];
    const to = next ? findBoundary(words, next.at, from) : words.length;
    let current: SpokenWord[] | undefined;
    for (const word of words.slice(from, to)) {
      const placed = place(word, part, current);
      if (current && !isComplete(current)) current.push(placed);
      else utterances.push((current = [placed]));
    }
    from = to;
  }
  return joinFragments(utterances.map(toUtterance));
}

/** Costs of a boundary within a clause and within a sentence, in seconds of distance. */
const CLAUSE_COST = 0.3;
const WORD_COST = 0.8;

/** Returns the index of the first word after a pause at a time of the window: a word near it, best at the start of a sentence. */
function findBoundary(words: readonly SpokenWord[], time: number, from: number): number {
  let best = words.findIndex(({ start, end }, n) => n >= from && (start + end) / 2 >= time);
  if (best === -1) best = words.length;
  const costOf = (n: number): number => {
    const before = words[n - 1]?.text ?? '.';
    const start = words[n]?.start ?? words[n - 1]?.end ?? time;
    return (
      Math.abs(start - time) + (SENTENCE_END.test(before) ? 0 : /[,;:、，]["'”’)]*$/u.test(before) ? CLAUSE_COST : WORD_COST)
    );
  };
  const isNear = ({ start }: SpokenWord): boolean => Math.abs(start - time) <= MAX_ERROR_SECONDS;
  for (const [n, word] of words.entries()) if (n >= from && isNear(word) && costOf(n) < costOf(best)) best = n;
  return best;
}

const SENTENCE_END = /[.?!。？！]["'”’)]*$/u;

/** Returns a word with times of the clip, within a span of speech and after the words before it. */
function place({ start, end, ...word }: SpokenWord, part: WindowPart, before: readonly SpokenWord[] | undefined): SpokenWord {
  const shift = part.start - part.at;
  const speechStart = part.start + Math.min(MARGIN_SECONDS, (part.end - part.start) / 2);
  const from = before ? Math.max(before.at(-1)?.end ?? speechStart, start + shift) : speechStart;
  const to = Math.min(part.end, Math.max(from, end + shift));
  return { ...word, start: Math.min(from, to), end: to };
}

function isComplete(words: readonly SpokenWord[]): boolean {
  const [first, last] = [words[0], words.at(-1)];
  return first !== undefined && last !== undefined && last.end - first.start >= LONG_SECONDS && SENTENCE_END.test(last.text);
}

function toUtterance(words: readonly SpokenWord[]): Utterance {
  return {
    start: words[0]?.start ?? 0,
    end: words.at(-1)?.end ?? 0,
    text: joinWords(words),
    words,
  };
}

function joinWords(words: readonly SpokenWord[]): string {
  return words.reduce((text, { text: word }) => text + (text === '' || UNSPACED.test(word.charAt(0)) ? '' : ' ') + word, '');
}

/** Joins short fragments, such as a spoken number, with the utterance that follows. */
function joinFragments(utterances: readonly Utterance[]): Utterance[] {
  const joined: Utterance[] = [];
  for (const utterance of utterances) {
    const last = joined.at(-1);
    const isFragment = last && last.end - last.start <= FRAGMENT_SECONDS && utterance.start - last.end <= FRAGMENT_PAUSE_SECONDS;
    if (last && isFragment) joined.splice(-1, 1, toUtterance([...last.words, ...utterance.words]));
    else joined.push(utterance);
  }
  return joined;
}
