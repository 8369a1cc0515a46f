import type { Transcript, Word } from '../../schemas/generated/types.ts';
import type { TranscriptionResult, SpokenWord, TranscriptionEngine, Utterance } from './engine.ts';
import type { Span } from './voice-activity.ts';

type Utterances = Transcript['utterances'];

/**
 * What was heard in a clip, at its place in the source video.
 * @param clip - seconds of the source; words are kept within, as engines see a little more than there is
 */
export function toTranscript(
  { name, model }: TranscriptionEngine,
  { language, utterances }: TranscriptionResult,
  clip: Span,
): Transcript {
  const [start, end] = [rounded(clip.start), rounded(clip.end)];
  const placed = utterances.flatMap((utterance) => placedUtterance(utterance, { start, end }));
  return { engine: name, model, language, start, end, text: placed.map(({ text }) => text).join(' '), utterances: placed };
}

function placedUtterance({ text, words, ...time }: Utterance, clip: Span): Utterances {
  const within = place(time, clip);
  return within ? [{ ...within, text, words: words.flatMap((word) => placedWord(word, clip)) }] : [];
}

function placedWord({ text, confidence, ...time }: SpokenWord, clip: Span): Word[] {
  const within = place(time, clip);
  return within ? [{ ...within, text, confidence: rounded(confidence) }] : [];
}

/** A time of the source; undefined for what begins after the clip. */
function place({ start, end }: Span, clip: Span): Span | undefined {
  if (clip.start + start >= clip.end) return undefined;
  const at = (time: number): number => rounded(Math.min(clip.end, Math.max(clip.start, clip.start + time)));
  return { start: at(start), end: at(Math.max(start, end)) };
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
