import { FRAME_SECONDS, type Span } from './voice-activity.ts';

/** A span of speech and its position in a window, in seconds. */
export interface WindowPart extends Span {
  /** Start in the window. */
  readonly at: number;
}

/** Spans of speech that are decoded together. */
export interface Window {
  readonly parts: readonly WindowPart[];
  /** Seconds. */
  readonly duration: number;
}

/** Pauses up to this length stay in the audio, in seconds: a word at a cut is otherwise misheard. */
const KEPT_PAUSE_SECONDS = 0.5;

/** Maximum length of a window, in seconds. Whisper decodes 30 s at once. */
const MAX_SECONDS = 29.5;

/**
 * Packs spans of speech into windows: Whisper computes 30 s of audio however short the speech is. Windows are cut in pauses. A span
 * that is longer than a window is cut where speech is least probable, in its second half.
 * @param probabilities Probability of speech per frame.
 */
export function packWindows(speech: readonly Span[], probabilities: Float32Array): Window[] {
  const spans = speech.flatMap((span) => cutLongSpan(span, probabilities));
  const windows: { parts: WindowPart[]; duration: number }[] = [];
  for (const [n, { start, end: speechEnd }] of spans.entries()) {
    const next = spans[n + 1]?.start ?? Infinity;
    const end = next - speechEnd < KEPT_PAUSE_SECONDS ? next : speechEnd;
    let window = windows.at(-1);
    if (!window || window.duration + end - start > MAX_SECONDS) windows.push((window = { parts: [], duration: 0 }));
    window.parts.push({ start, end, at: window.duration });
    window.duration += end - start;
  }
  return windows;
}

function cutLongSpan({ start, end }: Span, probabilities: Float32Array): Span[] {
  if (end - start <= MAX_SECONDS) return [{ start, end }];
  const from = Math.ceil((start + MAX_SECONDS / 2) / FRAME_SECONDS);
  const candidates = probabilities.subarray(from, Math.floor((start + MAX_SECONDS) / FRAME_SECONDS));
  const lowest = candidates.reduce((best, probability, n) => (probability < (candidates[best] ?? 1) ? n : best), 0);
  const cut = (from + lowest + 0.5) * FRAME_SECONDS;
  return [{ start, end: cut }, ...cutLongSpan({ start: cut, end }, probabilities)];
}

/** A decoder skips no speech shorter than this, in seconds: it is a pause or an error of the times of words. */
const MIN_SKIPPED_SECONDS = 3;

/** Maximum error of the times of words at a pause, in seconds. */
export const MAX_ERROR_SECONDS = 1.2;

/**
 * Returns the parts of a window in which a decoder recognised nothing. They contain speech, because a window contains little else: Whisper
 * sometimes ends a window after its first sentence.
 * @param recognised Spans of the window with text or a description of sounds, in ascending order.
 */
export function findSkipped(recognised: readonly Span[], window: Window): Window[] {
  const skipped: Window[] = [];
  let from = 0;
  for (const { start, end } of [...recognised, { start: window.duration, end: window.duration }]) {
    if (start - from >= MIN_SKIPPED_SECONDS) skipped.push(cutWindow(window, from, start));
    from = Math.max(from, end);
  }
  return skipped;
}

/** Returns a part of a window, in seconds of the window. */
function cutWindow({ parts }: Window, from: number, to: number): Window {
  // The part begins with a span of speech if one is near, because the times of words are less exact.
  const starts = parts.map(({ at }) => at).filter((at) => Math.abs(at - from) <= MAX_ERROR_SECONDS);
  const begin = starts.at(-1) ?? from;
  const cut = parts
    .map(({ start, end, at }) => ({
      start: start + Math.max(0, begin - at),
      end: Math.min(end, start + to - at),
      at: Math.max(0, at - begin),
    }))
    .filter(({ start, end }) => end > start);
  return { parts: cut, duration: to - begin };
}
