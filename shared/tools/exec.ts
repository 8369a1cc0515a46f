import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { messageOf, PermanentError } from '../core/errors.ts';
import { createLogger } from '../observability/log.ts';
import { findPrlimit, isStartFailure, LIMITED_ENV, limitHit, prlimitArgs, toolLimits, type ResourceLimits } from './limits.ts';

export interface ExecOptions {
  /** Working directory; inside a stage, the item's own. */
  readonly cwd?: string;
  /** Environment on top of the minimal one (PATH, HOME and XDG_RUNTIME_DIR in the working directory, C locale); the process's own is never inherited, as it holds credentials. */
  readonly env?: Readonly<Record<string, string>>;
  /** Kills the whole process group when it aborts. */
  readonly signal?: AbortSignal;
  /** Milliseconds after which the tool is killed. */
  readonly timeout?: number;
  /** Each line of standard output as it comes; standard output is then not kept. */
  readonly onLine?: (line: string) => void;
  /** What it may use; by default what {@link toolLimits} says of the command, which is nothing for programs that open no uploads. */
  readonly limits?: ResourceLimits;
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

/** A tool that could not be started, failed, was killed, took too long or needed too much: flags to test, one sentence to read. */
export class ToolError extends PermanentError {
  readonly command: string;
  readonly args: readonly string[];
  readonly exitCode: number | undefined;
  readonly killedBy: NodeJS.Signals | undefined;
  readonly timedOut: boolean;
  /** The limit of memory, processor time or file size that it ran into, as a phrase. */
  readonly limit: string | undefined;

  constructor(run: {
    command: string;
    args: readonly string[];
    exitCode?: number | undefined;
    killedBy?: NodeJS.Signals | undefined;
    timedOut?: boolean;
    /** The limit that it ran into, as a phrase. */
    limit?: string | undefined;
    stderr?: string;
    cause?: unknown;
  }) {
    const { command, args, exitCode, killedBy, timedOut = false, limit, stderr = '', cause } = run;
    const what = cause
      ? `could not be started (${(cause as NodeJS.ErrnoException).code ?? messageOf(cause)})`
      : timedOut
        ? 'took too long and was killed'
        : limit !== undefined
          ? `needs more than ${limit}, which is the most that a tool may use here`
          : killedBy
            ? `was killed by ${killedBy}`
            : `failed with exit code ${String(exitCode)}`;
    const said = lastLine(stderr);
    const code = cause ? 'tool-missing' : timedOut ? 'tool-timeout' : limit !== undefined ? 'tool-limit' : 'tool-failed';
    super(code, `${command} ${what}${said ? `: ${said}` : ''}`, {
      cause,
      stderr,
    });
    this.command = command;
    this.args = args;
    this.exitCode = exitCode;
    this.killedBy = killedBy;
    this.timedOut = timedOut;
    this.limit = limit;
  }
}

/** A home in which even root can make nothing: a directory that does not exist would be made. */
const NO_HOME = '/dev/null';

/** Characters of a tool's standard error that are kept. */
export const TAIL = 4_000;

/** Milliseconds between SIGTERM and SIGKILL: a cancelled request’s tools are gone within two seconds. */
const KILL_AFTER = 1_500;

/** Most characters of standard output that are kept: more is a tool gone mad, not an answer. */
const STDOUT_LIMIT = 64 * 1024 * 1024;

/** At import, so that a process with a limit that is none does not start. */
const limitsOf = toolLimits(process.env);

let prlimit: string | undefined;
let sought = false;

/** The command within limits; undefined where `prlimit` is missing, which is looked for and said once a process. */
function confine(
  limits: ResourceLimits,
  command: string,
  args: readonly string[],
): { command: string; args: string[] } | undefined {
  if (!sought) {
    sought = true;
    prlimit = findPrlimit(process.env['PATH']);
    if (prlimit === undefined)
      createLogger({ service: 'exec' }).warn(
        { event: 'service:limits-unavailable' },
        'prlimit is not installed (util-linux): tools that open uploads run without limits of memory, processor time and file size',
      );
  }
  return prlimit === undefined ? undefined : { command: prlimit, args: prlimitArgs(limits, command, args) };
}

export const exec: Exec = (command, args, { cwd, env, signal, timeout, onLine, limits = limitsOf(command) } = {}) =>
  new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const begun = performance.now();
    const confined = limits && confine(limits, command, args);
    const home = cwd ?? NO_HOME;
    // A group of its own, so that what the tool starts dies with it.
    const child = spawn(confined?.command ?? command, confined?.args ?? args, {
      cwd,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        HOME: home,
        XDG_RUNTIME_DIR: home,
        LC_ALL: 'C.UTF-8',
        ...(limits && LIMITED_ENV),
        ...env,
      },
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
        const end = { exitCode: exitCode ?? undefined, killedBy: killedBy ?? signalOf(exitCode), stderr };
        const limit = limits && limitHit(limits, end);
        if (confined && isStartFailure(exitCode, stderr)) startError = notStarted(stderr);
        reject(new ToolError({ command, args, ...end, timedOut, limit, cause: startError }));
      }
    });
  });

/** What `spawn` would have said, had it started the command itself. */
function notStarted(stderr: string): NodeJS.ErrnoException {
  const code = stderr.includes('No such file') ? 'ENOENT' : 'EACCES';
  return Object.assign(new Error(lastLine(stderr)), { code });
}

/** The signal that a shell-like exit code of 128 + n stands for. */
function signalOf(exitCode: number | null): NodeJS.Signals | undefined {
  if (exitCode === null || exitCode <= 128) return undefined;
  return (Object.entries(constants.signals) as [NodeJS.Signals, number][]).find(([, n]) => n === exitCode - 128)?.[0];
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.trim() ?? '';
}
