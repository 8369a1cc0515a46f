import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { messageOf, PermanentError } from './errors.ts';

export interface ExecOptions {
  /** Working directory; inside a stage, the item's own. */
  readonly cwd?: string;
  /** Environment on top of the minimal one (PATH, HOME in the working directory, C locale); the process's own is never inherited, as it holds credentials. */
  readonly env?: Readonly<Record<string, string>>;
  /** Kills the whole process group when it aborts. */
  readonly signal?: AbortSignal;
  /** Milliseconds after which the tool is killed. */
  readonly timeout?: number;
  /** Each line of standard output as it comes; standard output is then not kept. */
  readonly onLine?: (line: string) => void;
}

export interface ExecResult {
  readonly stdout: string;
  /** The last {@link TAIL} characters of standard error. */
  readonly stderr: string;
  /** Milliseconds. */
  readonly duration: number;
}

/** Runs a program to its end. @throws ToolError when it does not exit with 0. */
export type Exec = (command: string, args: readonly string[], options?: ExecOptions) => Promise<ExecResult>;

/** A tool that could not be started, failed, was killed or took too long: flags to test, one sentence to read. */
export class ToolError extends PermanentError {
  readonly command: string;
  readonly args: readonly string[];
  readonly exitCode: number | undefined;
  readonly killedBy: NodeJS.Signals | undefined;
  readonly timedOut: boolean;

  constructor(run: {
    command: string;
    args: readonly string[];
    exitCode?: number | undefined;
    killedBy?: NodeJS.Signals | undefined;
    timedOut?: boolean;
    stderr?: string;
    cause?: unknown;
  }) {
    const { command, args, exitCode, killedBy, timedOut = false, stderr = '', cause } = run;
    const what = cause
      ? `could not be started (${(cause as NodeJS.ErrnoException).code ?? messageOf(cause)})`
      : timedOut
        ? 'took too long and was killed'
        : killedBy
          ? `was killed by ${killedBy}`
          : `failed with exit code ${String(exitCode)}`;
    const said = lastLine(stderr);
    super(cause ? 'tool-missing' : timedOut ? 'tool-timeout' : 'tool-failed', `${command} ${what}${said ? `: ${said}` : ''}`, {
      cause,
      stderr,
    });
    this.command = command;
    this.args = args;
    this.exitCode = exitCode;
    this.killedBy = killedBy;
    this.timedOut = timedOut;
  }
}

/** Characters of a tool's standard error that are kept. */
export const TAIL = 4_000;

/** Milliseconds between SIGTERM and SIGKILL. */
const KILL_AFTER = 2_000;

/** Most characters of standard output that are kept: more is a tool gone mad, not an answer. */
const STDOUT_LIMIT = 64 * 1024 * 1024;

export const exec: Exec = (command, args, { cwd, env, signal, timeout, onLine } = {}) =>
  new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const begun = performance.now();
    // A group of its own, so that what the tool starts dies with it.
    const child = spawn(command, args, {
      cwd,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], HOME: cwd ?? '/nonexistent', LC_ALL: 'C.UTF-8', ...env },
    });

    let stdout = '';
    let stderr = '';
    let timedOut = false;
    let startError: Error | undefined;

    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
      if (onLine) {
        const lines = stdout.split('\n');
        stdout = lines.pop() ?? '';
        lines.forEach(onLine);
      } else if (stdout.length > STDOUT_LIMIT) kill('SIGKILL');
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr = (stderr + chunk).slice(-TAIL);
    });

    const kill = (by: NodeJS.Signals): void => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, by);
      } catch {
        // The group is gone already.
      }
    };
    let killer: NodeJS.Timeout | undefined;
    const stop = (): void => {
      kill('SIGTERM');
      killer ??= setTimeout(() => {
        kill('SIGKILL');
      }, KILL_AFTER);
    };
    const timer =
      timeout === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            stop();
          }, timeout);
    signal?.addEventListener('abort', stop, { once: true });

    child.on('error', (error) => {
      startError = error;
    });
    child.on('close', (exitCode, killedBy) => {
      clearTimeout(timer);
      clearTimeout(killer);
      signal?.removeEventListener('abort', stop);
      // Grandchildren that outlived the tool would hold the temp directory and the CPU.
      kill('SIGKILL');
      if (onLine && stdout) onLine(stdout);
      const duration = performance.now() - begun;
      if (signal?.aborted && !timedOut) reject(signal.reason as Error);
      else if (exitCode === 0 && !startError && !timedOut) resolve({ stdout: onLine ? '' : stdout, stderr, duration });
      else {
        const by = killedBy ?? signalOf(exitCode);
        reject(
          new ToolError({ command, args, exitCode: exitCode ?? undefined, killedBy: by, timedOut, stderr, cause: startError }),
        );
      }
    });
  });

/** The signal that a shell-like exit code of 128 + n stands for. */
function signalOf(exitCode: number | null): NodeJS.Signals | undefined {
  if (exitCode === null || exitCode <= 128) return undefined;
  return (Object.entries(constants.signals) as [NodeJS.Signals, number][]).find(([, n]) => n === exitCode - 128)?.[0];
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.trim() ?? '';
}
