import { PermanentError } from '../../../shared/core/errors.ts';
import { isSound } from '../whisper/utterances.ts';
import type { TranscriptionResult, SpokenWord, Utterance } from '../engine.ts';

/** The used part of the output of whisper.cpp's `--output-json-full`. Offsets are in milliseconds. */
interface Output {
  readonly result: { readonly language: string };
  readonly transcription: readonly Segment[];
}

interface Times {
  readonly offsets?: { readonly from: number; readonly to: number };
}

interface Segment extends Required<Times> {
  readonly text: string;
  readonly tokens: readonly (Times & { readonly text: string; readonly p: number })[];
}

/**
 * Parses whisper.cpp's full JSON. It joins tokens to words, and drops control tokens (`[_BEG_]`, `[_TT_150]`) and segments that
 * describe a sound (`[BLANK_AUDIO]`, `(music)`).
 * @param file Content of the file as bytes: a character may be split between two tokens, so tokens are not decoded one by one.
 * @throws PermanentError `tool-failed` if the file has another format.
 */
export function parseWhisperJson(file: Buffer): TranscriptionResult {
  try {
    // whisper.cpp escapes quotes and backslashes only: a line break inside a token would not be JSON.
    // eslint-disable-next-line no-control-regex
    const output = JSON.parse(file.toString('latin1').replace(/[\0-\x1f]/g, ' ')) as Output;
    const utterances = output.transcription.map(toUtterance).filter(({ text }) => text !== '' && !isSound(text));
    return { language: output.result.language, utterances };
  } catch (cause) {
    throw new PermanentError('tool-failed', 'whisper.cpp wrote a file that is not the JSON of --output-json-full', { cause });
  }
}

function toUtterance(segment: Segment): Utterance {
  const { from, to } = segment.offsets;
  return { start: from / 1000, end: to / 1000, text: decode(segment.text), words: toWords(segment) };
}

/** Joins tokens to words. A token with a leading space begins a word. */
function toWords({ tokens, offsets }: Segment): SpokenWord[] {
  const groups: (typeof tokens)[number][][] = [];
  for (const token of tokens.filter(({ text }) => !/^\[_.*\]$/.test(text))) {
    const last = groups.at(-1);
    if (!last || token.text.startsWith(' ')) groups.push([token]);
    else last.push(token);
  }
  return groups
    .map((group) => ({
      start: (group[0]?.offsets ?? offsets).from / 1000,
      end: (group.at(-1)?.offsets ?? offsets).to / 1000,
      text: decode(group.map(({ text }) => text).join('')),
      // The mean: a product would be low for every long word.
      confidence: group.reduce((sum, { p }) => sum + p, 0) / group.length,
    }))
    .filter(({ text }) => text !== '');
}

/** Decodes UTF-8 that was read as Latin-1. */
function decode(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8').trim();
}
