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

/** Maximum length of a window, in seconds. Whisper decodes 30 s at once and loses words at the end of a full window. */
const MAX_SECONDS = 28;

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
