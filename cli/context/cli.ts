import { randomUUID } from 'node:crypto';
import { styleText } from 'node:util';

type Format = Parameters<typeof styleText>[0];

/**
 * Standard output or standard error of a command. It replaces control characters, which could move the cursor, change the order of the
 * text or forge lines: file names, transcripts and errors come from users.
 */
export interface Output {
  /** Whether it is a terminal, on which lines can be redrawn. */
  readonly live: boolean;
  /** Width, in characters. */
  readonly columns: number;
  line(text?: string): void;
  /** Writes text of several lines, such as subtitles, without a newline at its end. */
  write(text: string): void;
  /** Writes lines over the last `count` lines of a terminal. */
  rewrite(lines: readonly string[], count: number): void;
  /** Styles text, if colours are enabled. */
  style(format: Format, text: string): string;
}

/** Environment of a command. */
export interface CliContext {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Aborts at Ctrl-C. */
  readonly signal: AbortSignal;
}

const ESCAPE = '\u001b';
const UP_AND_CLEAR = `${ESCAPE}[1A${ESCAPE}[2K`;

/** Controls (C0 and C1) and characters that change the direction of the text. Text may contain newlines and tabs, a line may not. */
// eslint-disable-next-line no-control-regex
const UNSAFE_IN_LINE = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;
// eslint-disable-next-line no-control-regex
const UNSAFE_IN_TEXT = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/** Returns the JSON of a value, with escapes instead of characters that an {@link Output} would replace. */
export function toJson(value: unknown, indent?: number): string {
  const escape = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(value, undefined, indent).replace(UNSAFE_IN_TEXT, escape);
}

/** Width without a terminal. */
const DEFAULT_COLUMNS = 80;

/** Creates the output of a stream. Enables colours only on a terminal and without NO_COLOR (https://no-color.org). */
export function createOutput(
  stream: Pick<NodeJS.WriteStream, 'isTTY' | 'columns'> & { write(text: string): boolean },
  env: CliContext['env'],
): Output {
  const live = stream.isTTY && env['TERM'] !== 'dumb';
  const coloured = live && !env['NO_COLOR'];
  // Stands for the escape character in styled text until it is written, and cannot be guessed by the author of a text.
  const mark = `<${randomUUID()}>`;
  const clean = (text: string, unsafe: RegExp): string => text.replace(unsafe, '�').replaceAll(mark, ESCAPE);
  const toLine = (text: string): string => `${clean(text, UNSAFE_IN_LINE)}\n`;
  return {
    live,
    get columns() {
      return Math.max(40, stream.columns || DEFAULT_COLUMNS);
    },
    line: (text = '') => void stream.write(toLine(text)),
    write: (text) => void stream.write(clean(text, UNSAFE_IN_TEXT)),
    // One write, to avoid flicker.
    rewrite: (lines, count) => void stream.write(UP_AND_CLEAR.repeat(count) + lines.map(toLine).join('')),
    style: (format, text) =>
      coloured ? styleText(format, text.replaceAll(ESCAPE, '�'), { validateStream: false }).replaceAll(ESCAPE, mark) : text,
  };
}
