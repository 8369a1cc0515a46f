import { styleText } from 'node:util';

type Format = Parameters<typeof styleText>[0];

/** Standard output or standard error, as commands write to it. */
export interface Output {
  /** Whether a person looks at it, so that lines may be drawn again. */
  readonly live: boolean;
  /** Width in characters. */
  readonly columns: number;
  line(text?: string): void;
  /** Text as it is, for what redraws. */
  write(text: string): void;
  /** Colours text where colours are wanted. */
  style(format: Format, text: string): string;
}

/** What a command gets of the world. */
export interface CliContext {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Aborts at Ctrl-C. */
  readonly signal: AbortSignal;
}

/** Columns where nobody looks, and the least that lines are made for. */
const WIDTH = 80;

/** Colours only on a terminal and without NO_COLOR (https://no-color.org). */
export function createOutput(stream: NodeJS.WriteStream, env: CliContext['env']): Output {
  const live = stream.isTTY && env['TERM'] !== 'dumb';
  const coloured = live && !env['NO_COLOR'];
  return {
    live,
    get columns() {
      return Math.max(40, stream.columns || WIDTH);
    },
    line: (text = '') => void stream.write(`${text}\n`),
    write: (text) => void stream.write(text),
    style: (format, text) => (coloured ? styleText(format, text) : text),
  };
}
