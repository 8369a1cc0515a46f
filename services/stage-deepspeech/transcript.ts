import type { Transcript, Word } from '../../schemas/generated/types.ts';
import type { TranscriptionResult, SpokenWord, TranscriptionEngine, Utterance } from './engine.ts';
import type { Span } from './voice-activity.ts';

type Utterances = Transcript['utterances'];

/**
 * Returns the transcript of a clip, with times in the source video.
 * @param clip The clip in the source, in seconds. Times of words are limited to it, because engines report times slightly beyond the end.
 */
export function toTranscript(
  { name, model, notice }: TranscriptionEngine,
  { language, languageProbability, utterances }: TranscriptionResult,
  clip: Span,
): Transcript {
  const [start, end] = [round(clip.start), round(clip.end)];
  const placed = utterances.flatMap((utterance) => placeUtterance(utterance, { start, end }));
  return {
    engine: name,
    model,
    ...(notice !== undefined && { notice }),
    language,
    ...(languageProbability !== undefined && { language_probability: round(languageProbability) }),
    start,
    end,
    text: placed.map(({ text }) => text).join(' '),
    utterances: placed,
  };
}

function placeUtterance({ text, words, voice, ...time }: Utterance, clip: Span): Utterances {
  const within = place(time, clip);
  return within
    ? [{ ...within, text, words: words.flatMap((word) => placeWord(word, clip)), ...(voice !== undefined && { voice }) }]
    : [];
}

function placeWord({ text, confidence, ...time }: SpokenWord, clip: Span): Word[] {
  const within = place(time, clip);
  return within ? [{ ...within, text, confidence: round(confidence) }] : [];
}

/** Returns a time in the source; undefined for a time after the clip. */
function place({ start, end }: Span, clip: Span): Span | undefined {
  if (clip.start + start >= clip.end) return undefined;
  const at = (time: number): number => round(Math.min(clip.end, Math.max(clip.start, clip.start + time)));
  return { start: at(start), end: at(Math.max(start, end)) };
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
