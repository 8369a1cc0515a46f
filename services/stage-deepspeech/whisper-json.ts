import { PermanentError } from '../../shared/core/errors.ts';
import type { TranscriptionResult, SpokenWord, Utterance } from './engine.ts';

/** What whisper.cpp's `--output-json-full` writes, as far as it is read here. Offsets are milliseconds. */
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
 * Reads whisper.cpp's full JSON. Tokens become words; control tokens (`[_BEG_]`, `[_TT_150]`) and segments that only describe
 * a sound (`[BLANK_AUDIO]`, `(music)`) are left out.
 * @param file - its bytes: a character may be split between two tokens, so they cannot be decoded one by one
 * @throws PermanentError `tool-failed` when it is not such a file
 */
export function parseWhisperJson(file: Buffer): TranscriptionResult {
  try {
    // whisper.cpp escapes quotes and backslashes only: a line break inside a token would not be JSON.
    // eslint-disable-next-line no-control-regex
    const output = JSON.parse(file.toString('latin1').replace(/[\0-\x1f]/g, ' ')) as Output;
    const utterances = output.transcription.map(utteranceOf).filter(({ text }) => text !== '' && !isSound(text));
    return { language: output.result.language, utterances };
  } catch (cause) {
    throw new PermanentError(
      'tool-failed',
      "whisper.cpp's output cannot be read: it is not the JSON that --output-json-full writes",
      { cause },
    );
  }
}

function utteranceOf(segment: Segment): Utterance {
  const { from, to } = segment.offsets;
  return { start: from / 1000, end: to / 1000, text: decoded(segment.text), words: wordsOf(segment) };
}

/** Joins tokens to words: one that begins with a space begins a word. */
function wordsOf({ tokens, offsets }: Segment): SpokenWord[] {
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
      text: decoded(group.map(({ text }) => text).join('')),
      // The product would make long words look doubtful.
      confidence: group.reduce((sum, { p }) => sum + p, 0) / group.length,
    }))
    .filter(({ text }) => text !== '');
}

/** UTF-8 that was read as Latin-1. */
function decoded(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8').trim();
}

function isSound(text: string): boolean {
  return /^(\[[^\]]*\]|\([^)]*\)|\*[^*]*\*|[♪\s]+)$/.test(text);
}
