import type { TimelineUtterance } from './timeline.ts';
import { wrap } from '../core/text.ts';

/** One subtitle. */
export interface Cue {
  readonly start: number;
  readonly end: number;
  readonly lines: readonly string[];
}

/** Limits of a cue: characters per line, lines, and seconds (BBC Subtitle Guidelines, EBU-TT-D practice). */
const MAX_LINE_LENGTH = 42;
const MAX_LINES = 2;
const MAX_CUE_SECONDS = 7;

/** Splits utterances into cues of at most two lines and seven seconds, with the times of their words. */
export function toCues(utterances: readonly TimelineUtterance[]): Cue[] {
  return utterances.flatMap((utterance) => {
    const groups: TimelineUtterance['words'][] = [];
    for (const word of utterance.words) {
      const current = groups.at(-1);
      if (current && fits([...current, word])) current.push(word);
      else groups.push([word]);
    }
    // An utterance without word times becomes one cue.
    if (groups.length === 0)
      return utterance.text === ''
        ? []
        : [{ start: utterance.start, end: utterance.end, lines: wrap(utterance.text, MAX_LINE_LENGTH) }];
    return groups.map((words) => ({
      start: words[0]?.start ?? 0,
      end: words.at(-1)?.end ?? 0,
      lines: wrap(joinWords(words), MAX_LINE_LENGTH),
    }));
  });
}

function fits(words: TimelineUtterance['words']): boolean {
  const [first, last] = [words[0], words.at(-1)];
  return wrap(joinWords(words), MAX_LINE_LENGTH).length <= MAX_LINES && (last?.end ?? 0) - (first?.start ?? 0) <= MAX_CUE_SECONDS;
}

function joinWords(words: TimelineUtterance['words']): string {
  return words.map(({ text }) => text).join(' ');
}

/** Formats cues as SubRip: numbered, with a comma before the milliseconds. */
export function toSrt(cues: readonly Cue[]): string {
  return cues
    .map(
      ({ start, end, lines }, n) =>
        `${n + 1}\n${formatTimestamp(start, ',')} --> ${formatTimestamp(end, ',')}\n${lines.join('\n')}\n`,
    )
    .join('\n');
}

/** Formats cues as WebVTT (https://www.w3.org/TR/webvtt1/), which reserves `&`, `<` and `>`. */
export function toVtt(cues: readonly Cue[]): string {
  const escape = (line: string): string => line.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return [
    'WEBVTT\n',
    ...cues.map(
      ({ start, end, lines }) =>
        `${formatTimestamp(start, '.')} --> ${formatTimestamp(end, '.')}\n${lines.map(escape).join('\n')}\n`,
    ),
  ].join('\n');
}

function formatTimestamp(seconds: number, separator: string): string {
  const ms = Math.round(seconds * 1_000);
  const pad = (value: number): string => String(value).padStart(2, '0');
  const [h, m, s] = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60, Math.floor(ms / 1_000) % 60];
  return `${pad(h)}:${pad(m)}:${pad(s)}${separator}${String(ms % 1_000).padStart(3, '0')}`;
}
