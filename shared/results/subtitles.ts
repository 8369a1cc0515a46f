import { toCues, type Cue } from './cues.ts';
import { hasSeveralSpeakers } from './speakers.ts';
import type { TimelineUtterance } from './timeline.ts';

/** The part of a result that is formatted as subtitles. */
export interface Subtitled {
  /** Duration of the input, in seconds; null if it is unknown. */
  readonly duration: number | null;
  readonly utterances: readonly TimelineUtterance[];
}

/** Formats speech as SubRip: numbered, with a comma before the milliseconds. A cue names its speaker if the speaker changes. */
export function toSrt({ utterances, duration }: Subtitled): string {
  let speaker: string | undefined;
  const named = keepSeveralSpeakers(utterances).map((utterance) => {
    if (utterance.speaker === speaker) return utterance;
    speaker = utterance.speaker;
    return speaker === undefined ? utterance : prefix(utterance, `${formatSpeaker(speaker)}:`);
  });
  return toCues(named, duration ?? undefined)
    .map((cue, n) => `${n + 1}\n${formatTimes(cue, ',')}\n${markDirection(cue.lines).map(escapeSrt).join('\n')}\n`)
    .join('\n');
}

/** Formats speech as WebVTT (https://www.w3.org/TR/webvtt1/). Each cue names its speaker as its voice. */
export function toVtt({ utterances, duration }: Subtitled): string {
  const format = (cue: Cue): string => {
    const voice = cue.speaker === undefined ? '' : `<v ${escapeVtt(formatSpeaker(cue.speaker))}>`;
    return `${formatTimes(cue, '.')}\n${voice}${markDirection(cue.lines).map(escapeVtt).join('\n')}\n`;
  };
  return ['WEBVTT\n', ...toCues(keepSeveralSpeakers(utterances), duration ?? undefined).map(format)].join('\n');
}

/** Removes the speaker if there is only one. */
function keepSeveralSpeakers(utterances: readonly TimelineUtterance[]): readonly TimelineUtterance[] {
  return hasSeveralSpeakers(utterances) ? utterances : utterances.map(({ speaker: _, ...utterance }) => utterance);
}

/** Adds a label before the first word, as a word without duration, so that it counts as part of the line. */
function prefix(utterance: TimelineUtterance, label: string): TimelineUtterance {
  const { start, text, words } = utterance;
  return {
    ...utterance,
    text: `${label} ${text}`,
    words: words.length === 0 ? [] : [{ start: words[0]?.start ?? start, end: words[0]?.start ?? start, text: label }, ...words],
  };
}

/** Formats `speaker 1` as `Speaker 1`. */
export function formatSpeaker(speaker: string): string {
  return speaker.charAt(0).toUpperCase() + speaker.slice(1);
}

const RIGHT_TO_LEFT = /[\p{sc=Hebr}\p{sc=Arab}\p{sc=Syrc}\p{sc=Thaa}\p{sc=Nkoo}]/gu;
const RIGHT_TO_LEFT_MARK = '\u200f';

/**
 * Encloses the lines of right-to-left text in marks. Most players lay out every line from left to right, which would move punctuation
 * and foreign words at the ends of the line to the wrong side.
 */
function markDirection(lines: readonly string[]): readonly string[] {
  const text = lines.join('');
  const rightToLeft = text.match(RIGHT_TO_LEFT)?.length ?? 0;
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  return 3 * rightToLeft > letters ? lines.map((line) => RIGHT_TO_LEFT_MARK + line + RIGHT_TO_LEFT_MARK) : lines;
}

/** Players interpret tags in SubRip, which has no escape: the first character of a tag is replaced by a similar one. */
function escapeSrt(line: string): string {
  return line.replace(/<(?=[a-z/])/gi, '‹').replace(/\{(?=\\)/g, '(');
}

/** WebVTT reserves `&`, `<` and `>`. */
function escapeVtt(line: string): string {
  return line.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function formatTimes({ start, end }: Cue, separator: string): string {
  return `${formatTimestamp(start, separator)} --> ${formatTimestamp(end, separator)}`;
}

function formatTimestamp(seconds: number, separator: string): string {
  const ms = Math.round(seconds * 1_000);
  const pad = (value: number): string => String(value).padStart(2, '0');
  const [h, m, s] = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60, Math.floor(ms / 1_000) % 60];
  return `${pad(h)}:${pad(m)}:${pad(s)}${separator}${String(ms % 1_000).padStart(3, '0')}`;
}
