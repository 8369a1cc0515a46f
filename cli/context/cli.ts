import { styleText } from 'node:util';

type Format = Parameters<typeof styleText>[0];

/** Standard output or standard error of a command. */
export interface Output {
  /** Whether it is a terminal, on which lines can be redrawn. */
  readonly live: boolean;
  /** Width, in characters. */
  readonly columns: number;
  line(text?: string): void;
  /** Writes text without a newline. */
  write(text: string): void;
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

/** Width without a terminal. */
const DEFAULT_COLUMNS = 80;

/** Creates the output of a stream. Enables colours only on a terminal and without NO_COLOR (https://no-color.org). */
export function createOutput(stream: NodeJS.WriteStream, env: CliContext['env']): Output {
  const live = stream.isTTY && env['TERM'] !== 'dumb';
  const coloured = live && !env['NO_COLOR'];
  return {
    live,
    get columns() {
      return Math.max(40, stream.columns || DEFAULT_COLUMNS);
    },
    line: (text = '') => void stream.write(`${text}\n`),
    write: (text) => void stream.write(text),
    style: (format, text) => (coloured ? styleText(format, text) : text),
  };
}
