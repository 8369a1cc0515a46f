import { messageOf, PermanentError } from '../core/errors.ts';

/** Number of characters of a tool's standard error that are kept. */
export const TAIL = 4_000;

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
  /** The failure, as the end of a sentence about the tool. */
  readonly problem: string;
  /** The line of standard error that states why, or an empty text. */
  readonly reason: string;
  readonly exitCode: number | undefined;
  readonly killedBy: NodeJS.Signals | undefined;
  readonly timedOut: boolean;
  /** The limit of memory, processor time, file size or output that the tool exceeded, as a phrase. */
  readonly limit: string | undefined;

  constructor(run: FailedRun) {
    const { command, stderr = '', cause } = run;
    const [code, problem] = describe(run);
    const reason = findReason(stderr);
    super(code, `${command} ${problem}${reason ? `: ${reason}` : ''}`, { cause, stderr });
    this.command = command;
    this.args = run.args;
    this.problem = problem;
    this.reason = reason;
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

/** Lines that state that a tool failed, not why, and lines that continue others, such as those of a stack. */
const NOISE =
  /^\s|^$|Last message repeated \d+ times|^Conversion failed!|^Error opening (input|output) files?\b|^Error (initializing|closing) |Terminating thread with return code|Task finished with error code|^Exiting |^Traceback |^node:|^Node\.js v|^(frame|size)= |^(INFO|WARN)[: ]/;

/** Words of a line that states a reason. */
const REASON =
  /error|fail|invalid|cannot|can't|could not|unable|unsupported|not |no such|denied|missing|corrupt|exceed|too |killed/i;

/** Prefix of ffmpeg's messages, with an address that differs between runs. */
const COMPONENT = /^\[([^\]@]+) @ 0x[0-9a-f]+\] /;

/** Returns the line of a tool's standard error that states why it failed: the first one, because tools then report the consequences. */
export function findReason(stderr: string): string {
  const lines = stderr.trim().split('\n');
  // The kept part of a long output begins in the middle of a line.
  const whole = stderr.length >= TAIL ? lines.slice(1) : lines;
  const at = whole.findIndex((line) => !NOISE.test(line) && REASON.test(line));
  if (at < 0) return whole.findLast((line) => !NOISE.test(line))?.trim() ?? lastLine(stderr);
  const line = (whole[at] ?? '').replace(COMPONENT, '$1: ').trim();
  // Some messages of ffmpeg continue on the next line.
  return /(,|\bor|\band)$/.test(line) ? `${line} ${whole[at + 1]?.replace(COMPONENT, '').trim() ?? ''}` : line;
}

/** Returns the last line of a text that is not empty. */
export function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.trim() ?? '';
}
