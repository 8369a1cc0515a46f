import { messageOf, PermanentError } from '../core/errors.ts';

interface FailedRun {
  readonly command: string;
  readonly args: readonly string[];
  readonly exitCode?: number | undefined;
  readonly killedBy?: NodeJS.Signals | undefined;
  readonly timedOut?: boolean;
  readonly limit?: string | undefined;
  readonly stderr?: string;
  readonly cause?: unknown;
}

/** A tool could not be started, failed, was killed, took too long or exceeded a limit. */
export class ToolError extends PermanentError {
  readonly command: string;
  readonly args: readonly string[];
  readonly exitCode: number | undefined;
  readonly killedBy: NodeJS.Signals | undefined;
  readonly timedOut: boolean;
  /** The limit of memory, processor time or file size that the tool exceeded, as a phrase. */
  readonly limit: string | undefined;

  constructor(run: FailedRun) {
    const { command, stderr = '', cause } = run;
    const [code, problem] = describe(run);
    const reason = lastLine(stderr);
    super(code, `${command} ${problem}${reason ? `: ${reason}` : ''}`, { cause, stderr });
    this.command = command;
    this.args = run.args;
    this.exitCode = run.exitCode;
    this.killedBy = run.killedBy;
    this.timedOut = run.timedOut ?? false;
    this.limit = run.limit;
  }
}

type ToolErrorCode = 'tool-missing' | 'tool-timeout' | 'tool-limit' | 'tool-failed';

function describe({ exitCode, killedBy, timedOut, limit, cause }: FailedRun): [ToolErrorCode, string] {
  if (cause) return ['tool-missing', `could not be started (${(cause as NodeJS.ErrnoException).code ?? messageOf(cause)})`];
  if (timedOut) return ['tool-timeout', 'took too long and was killed'];
  if (limit !== undefined) return ['tool-limit', `exceeded the limit of ${limit}`];
  if (killedBy) return ['tool-failed', `was killed by ${killedBy}`];
  return ['tool-failed', `failed with exit code ${String(exitCode)}`];
}

/** Returns the last line of a text that is not empty. */
export function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.trim() ?? '';
}
