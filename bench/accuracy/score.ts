import type { Result } from '../../shared/results/result.ts';

/** Expected speech and objects of a file, as in `{name}.truth.json` of the test media. Times are in seconds. */
export interface Truth {
  readonly segments: readonly {
    readonly start: number;
    readonly end: number;
    readonly text: string;
    /** Recording. Its first word identifies the speaker. */
    readonly source: string;
  }[];
  readonly scenes?: readonly {
    readonly start: number;
    readonly end: number;
    readonly objects: readonly string[];
    /** Labels that are neither right nor wrong. */
    readonly likely?: readonly string[];
  }[];
  readonly objects_may?: readonly string[];
  /** Intervals without speech; absent if the segments contain all speech. */
  readonly no_speech?: readonly (readonly [number, number])[];
}

/** Figures of one result. */
export interface Score {
  /** Word error rate: substituted, missing and additional words per word of the truth. */
  readonly wer: number;
  /** Distance of the start of a segment to the nearest start of an utterance, in seconds; null without speech. */
  readonly start_error_s: { readonly median: number; readonly max: number } | null;
  readonly utterances: number;
  /** Number of utterances more than 0.5 s away from speech. */
  readonly utterances_where_nobody_speaks: number;
  /** Number of them that the truth confirms: speech outside the segments, such as an announced title, is not an error. */
  readonly invented_utterances: number;
  /** Number of utterances that are not attributed to the name of their speaker. */
  readonly utterances_of_wrong_speaker: number;
  readonly objects: { readonly recall: number; readonly precision: number; readonly wrong: readonly string[] };
}

type Span = { readonly start: number; readonly end: number };

/** Tolerance at the boundaries of speech and scenes, in seconds. */
const TOLERANCE = 0.5;

/** The part of a result that is compared. */
export interface Scored {
  readonly utterances: readonly Omit<Result['utterances'][number], 'words'>[];
  readonly objects: Result['objects'];
}

/** Compares a result with the truth. */
export function scoreResult({ utterances, objects }: Scored, truth: Truth): Score {
  const { segments } = truth;
  const textOf = (parts: readonly { readonly text: string }[]): string => parts.map(({ text }) => text).join(' ');
  const errors = segments
    .map(({ start }) => Math.min(99, ...utterances.map((utterance) => Math.abs(utterance.start - start))))
    .sort((a, b) => a - b);
  const silent = utterances.filter(
    (utterance) => !segments.some(({ start, end }) => utterance.start < end + TOLERANCE && utterance.end > start - TOLERANCE),
  );
  const { no_speech: pauses = [[0, Infinity]] } = truth;
  const invented = silent.filter(({ start, end }) => pauses.some(([from, to]) => start < to && end > from));
  return {
    wer: round(computeWordErrorRate(textOf(segments), textOf(utterances)), 3),
    start_error_s:
      errors.length === 0 ? null : { median: round(errors[errors.length >> 1] ?? 0, 2), max: round(errors.at(-1) ?? 0, 2) },
    utterances: utterances.length,
    utterances_where_nobody_speaks: silent.length,
    invented_utterances: invented.length,
    utterances_of_wrong_speaker: countWrongSpeakers(utterances, segments),
    objects: scoreObjects(objects, truth),
  };
}

/** Splits text into lower-case words without punctuation. */
function toWords(text: string): string[] {
  const plain = text
    .toLowerCase()
    .replaceAll('’', "'")
    .replaceAll('-', ' ')
    .replace(/[^a-z0-9' ]/g, ' ');
  return plain.split(/\s+/).filter(Boolean);
}

/** Returns the word error rate: substitutions, insertions and deletions per word of the truth (Levenshtein over words). */
export function computeWordErrorRate(expected: string, actual: string): number {
  const [truth, found] = [toWords(expected), toWords(actual)];
  let row = Array.from({ length: found.length + 1 }, (_, n) => n);
  for (const [i, right] of truth.entries()) {
    const next = [i + 1];
    for (const [j, word] of found.entries())
      next.push(Math.min((row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1, (row[j] ?? 0) + (right === word ? 0 : 1)));
    row = next;
  }
  return (row.at(-1) ?? 0) / Math.max(1, truth.length);
}

/** Gives each speaker of the truth the name with which it shares the most time, and counts the utterances with another name. */
function countWrongSpeakers(utterances: Scored['utterances'], segments: Truth['segments']): number {
  const speakerOf = (utterance: Span): string | undefined => {
    const shared = segments.map((segment) => computeOverlap(segment, utterance));
    const longest = Math.max(0, ...shared);
    return longest === 0 ? undefined : segments[shared.indexOf(longest)]?.source.split(' ')[0];
  };
  const spoken = utterances.flatMap(({ start, end, speaker }) => {
    const truth = speakerOf({ start, end });
    return truth === undefined ? [] : [{ truth, found: speaker, seconds: end - start }];
  });
  const pairs = Map.groupBy(spoken, ({ truth, found }) => JSON.stringify([truth, found]));
  const names = new Map<string, string | undefined>();
  const bySeconds = [...pairs.values()].toSorted((a, b) => sum(b) - sum(a));
  for (const [{ truth, found } = { truth: '' }] of bySeconds)
    if (!names.has(truth) && ![...names.values()].includes(found)) names.set(truth, found);
  return spoken.filter(({ truth, found }) => found === undefined || names.get(truth) !== found).length;
}

function sum(parts: readonly { readonly seconds: number }[]): number {
  return parts.reduce((total, { seconds }) => total + seconds, 0);
}

function computeOverlap(a: Span, b: Span): number {
  return Math.max(0, Math.min(a.end, b.end) - Math.max(a.start, b.start));
}

/** Compares the labels of each scene. */
/** Compares the labels of each scene with the truth. */
export function scoreObjects(objects: Result['objects'], { scenes = [], objects_may: may = [] }: Truth): Score['objects'] {
  let [found, missing] = [0, 0];
  const wrong: string[] = [];
  for (const scene of scenes) {
    const labels = new Set(
      objects
        .filter(({ start, end }) => start < scene.end - TOLERANCE && end > scene.start + TOLERANCE)
        .map(({ label }) => label),
    );
    const right = scene.objects.filter((label) => labels.has(label)).length;
    found += right;
    missing += scene.objects.length - right;
    wrong.push(...[...labels].filter((label) => ![...scene.objects, ...(scene.likely ?? []), ...may].includes(label)).sort());
  }
  const rate = (others: number): number => round(found / Math.max(1, found + others), 2);
  return { recall: rate(missing), precision: rate(wrong.length), wrong };
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
