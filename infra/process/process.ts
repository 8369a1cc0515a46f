import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PermanentError } from '../../shared/core/errors.ts';

/** Interval between two checks of a process that starts, in milliseconds. */
const POLL_INTERVAL_MS = 50;

export interface ProcessSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The complete environment. Nothing is inherited, because the environment of the launcher holds credentials. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** File for standard output and standard error. */
  readonly log: string;
  /** Receives the messages of the process. The process has an IPC channel only with this callback. */
  readonly onMessage?: (message: unknown) => void;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface RunningProcess {
  readonly name: string;
  readonly pid: number;
  readonly log: string;
  /** Size of the log when the process started, in bytes. */
  readonly logStart: number;
  readonly exited: Promise<Exit>;
  /** Sends SIGTERM, and SIGKILL after `graceMs` milliseconds. Resolves when the process has exited. */
  stop(graceMs: number): Promise<Exit>;
}

/**
 * Starts a process in its own group: Ctrl-C in the terminal reaches only the launcher, which stops all processes in order. The
 * log is a file instead of a pipe, so that the process survives the launcher.
 * @throws PermanentError `cannot-start`.
 */
export async function startProcess({ name, command, args, env, cwd, log, onMessage }: ProcessSpec): Promise<RunningProcess> {
  mkdirSync(dirname(log), { recursive: true });
  const file = openSync(log, 'a', 0o600);
  const logStart = await sizeOf(log);
  const child = spawn(command, args, {
    cwd,
    env: { ...env },
    detached: true,
    stdio: ['ignore', file, file, ...(onMessage ? (['ipc'] as const) : [])],
  });
  closeSync(file);
  if (onMessage) child.on('message', onMessage);
  // The channel must not keep the launcher alive.
  child.channel?.unref();
  const exited = new Promise<Exit>((resolve) =>
    child.once('exit', (code, signal) => {
      // Child processes would keep ports and files. They are killed now, before the group id can be reused.
      kill(-(child.pid as number), 'SIGKILL');
      resolve({ code, signal });
    }),
  );
  await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject)).catch((cause: unknown) => {
    throw new PermanentError('cannot-start', `${name} cannot be started from ${command}`, { cause });
  });

  return {
    name,
    pid: child.pid as number,
    log,
    logStart,
    exited,
    stop: async (graceMs) => {
      child.kill('SIGTERM'); // no signal is sent to a process that has exited
      const killer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      const exit = await exited;
      clearTimeout(killer);
      return exit;
    },
  };
}

/** Sends a signal to a process, or to a process group if `pid` is negative. A process that has exited is ignored. */
export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // The process has exited.
  }
}

/**
 * Polls until `ready` returns a value.
 * @param timeoutMs Milliseconds.
 * @throws PermanentError `not-ready` with the last lines of the log, after the timeout or when the process exits.
 */
export async function waitUntilReady<T>(
  child: RunningProcess,
  timeoutMs: number,
  ready: () => Promise<T | undefined>,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  let exit: Exit | undefined;
  void child.exited.then((how) => (exit = how));
  while (Date.now() < end) {
    const found = await ready().catch(() => undefined);
    if (found !== undefined) return found;
    if (exit) break;
    await sleep(POLL_INTERVAL_MS);
  }
  throw await notReadyError(child, exit ?? timeoutMs);
}

/** Returns the error for a process that exited, or timed out after some milliseconds, before it was ready. It ends with the last lines of the log. */
export async function notReadyError(child: RunningProcess, cause: Exit | number): Promise<PermanentError> {
  const reason =
    typeof cause === 'number' ? `was not ready within ${cause / 1000} s` : `exited (${describeExit(cause)}) before it was ready`;
  return new PermanentError('not-ready', `${child.name} ${reason}; the end of its log ${child.log}:\n${await logTail(child)}`);
}

export function describeExit({ code, signal }: Exit): string {
  return signal ? `killed by ${signal}` : `exit code ${String(code)}`;
}

/** Reads what the process has logged since its start. */
export async function logOf({ log, logStart }: RunningProcess): Promise<string> {
  const file = await open(log);
  try {
    const { size } = await file.stat();
    const { buffer } = await file.read(Buffer.alloc(Math.max(0, size - logStart)), { position: logStart });
    return buffer.toString('utf8');
  } finally {
    await file.close();
  }
}

/** Returns the last lines of the log of a process. */
export async function logTail(child: RunningProcess, lines = 8): Promise<string> {
  return (await logOf(child)).trimEnd().split('\n').slice(-lines).join('\n');
}

async function sizeOf(path: string): Promise<number> {
  const file = await open(path);
  const { size } = await file.stat();
  await file.close();
  return size;
}
