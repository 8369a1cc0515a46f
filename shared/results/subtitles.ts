import type { TimelineUtterance } from './timeline.ts';
import { wrap } from '../core/text.ts';

/** One subtitle. */
export interface Cue {
  readonly start: number;
  readonly end: number;
  readonly lines: readonly string[];
}

/** Characters a line and lines a cue: the usual limits of broadcast subtitles (BBC Subtitle Guidelines, EBU-TT-D practice). */
const LINE = 42;
const LINES = 2;
/** Seconds that a cue stands at most. */
const LONGEST = 7;

/** Cuts what is said into subtitles that fit two lines and seven seconds, at its words' own times. */
export function cuesOf(said: readonly TimelineUtterance[]): Cue[] {
  return said.flatMap((utterance) => {
    const groups: TimelineUtterance['words'][] = [];
    for (const word of utterance.words) {
      const current = groups.at(-1);
      if (current && fits([...current, word])) current.push(word);
      else groups.push([word]);
    }
    // An engine that gives no words leaves the utterance whole.
    if (groups.length === 0)
      return utterance.text === '' ? [] : [{ start: utterance.start, end: utterance.end, lines: wrap(utterance.text, LINE) }];
    return groups.map((words) => ({
      start: words[0]?.start ?? 0,
      end: words.at(-1)?.end ?? 0,
      lines: wrap(textOf(words), LINE),
    }));
  });
}

function fits(words: TimelineUtterance['words']): boolean {
  const [first, last] = [words[0], words.at(-1)];
  return wrap(textOf(words), LINE).length <= LINES && (last?.end ?? 0) - (first?.start ?? 0) <= LONGEST;
}

function textOf(words: TimelineUtterance['words']): string {
  return words.map(({ text }) => text).join(' ');
}

/** SubRip: numbered cues, a comma before the milliseconds. */
export function toSrt(cues: readonly Cue[]): string {
  return cues
    .map(({ start, end, lines }, n) => `${n + 1}\n${stamp(start, ',')} --> ${stamp(end, ',')}\n${lines.join('\n')}\n`)
    .join('\n');
}

/** WebVTT (https://www.w3.org/TR/webvtt1/): `&`, `<` and `>` mean something in it. */
export function toVtt(cues: readonly Cue[]): string {
  const escaped = (line: string): string => line.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return [
    'WEBVTT\n',
    ...cues.map(({ start, end, lines }) => `${stamp(start, '.')} --> ${stamp(end, '.')}\n${lines.map(escaped).join('\n')}\n`),
  ].join('\n');
}

function stamp(seconds: number, separator: string): string {
  const ms = Math.round(seconds * 1_000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const [h, m, s] = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60, Math.floor(ms / 1_000) % 60];
  return `${two(h)}:${two(m)}:${two(s)}${separator}${String(ms % 1_000).padStart(3, '0')}`;
}
