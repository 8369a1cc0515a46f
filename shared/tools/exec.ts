import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Logger } from '../observability/log.ts';
import {
  findPrlimit,
  isStartFailure,
  LIMITED_ENV,
  limitHit,
  memoryPhrase,
  prlimitArgs,
  toolLimits,
  type ResourceLimits,
} from './limits.ts';
import { canWatchMemory, watchResidentMemory } from './resident-memory.ts';
import { lastLine, TAIL, ToolError } from './tool-error.ts';

export interface ExecOptions {
  /** Working directory; inside a stage, that of the attempt. It is also the tool's HOME. */
  readonly cwd?: string;
  /**
   * Variables added to the minimal environment: PATH, HOME and XDG_RUNTIME_DIR in the working directory, and the C locale. The
   * environment of the process is not inherited, because it contains credentials.
   */
  readonly env?: Readonly<Record<string, string>>;
  /** Kills the whole process group when it aborts. */
  readonly signal?: AbortSignal;
  /** Time after which the tool is killed, in milliseconds. */
  readonly timeout?: number;
  /** Receives each line of standard output. Standard output is then not part of the result. */
  readonly onLine?: (line: string) => void;
  /** Name of the program in limits and messages; `command` by default. */
  readonly name?: string;
  /** Limits of the tool; by default those of {@link toolLimits} for its name. */
  readonly limits?: ResourceLimits;
}

export interface ExecResult {
  readonly stdout: string;
  /** The last {@link TAIL} characters of standard error. */
  readonly stderr: string;
  /** Milliseconds. */
  readonly duration: number;
}

/** Runs a program until it exits. @throws ToolError unless it exits with 0; the reason of `signal` if that aborted. */
export type Exec = (command: string, args: readonly string[], options?: ExecOptions) => Promise<ExecResult>;

/** HOME of a tool without a working directory. Not even root can create files in it; a missing directory could be created. */
const NO_HOME = '/dev/null';

/** Time between SIGTERM and SIGKILL (ms): the tools of a cancelled request end within two seconds. */
const KILL_AFTER_MS = 1_500;

/** Number of characters of standard output above which a tool is killed. */
const MAX_STDOUT = 64 * 1024 * 1024;

/** {@link MAX_STDOUT} as a phrase for error messages. It has no variable. */
const OUTPUT_LIMIT = '64 MB of output, which is fixed';

/**
 * Creates the function that runs programs, with the PATH and the limits (`FAVE_TOOL_…`) of an environment.
 * @param log Receives one warning if tools cannot be limited.
 * @throws PermanentError `invalid-environment-variable`.
 */
export function createExec({ env, log }: { env: Readonly<Record<string, string | undefined>>; log?: Logger }): Exec {
  const limitsOf = toolLimits(env);
  let found: { readonly path: string | undefined } | undefined;
  const prlimit = (): string | undefined => {
    if (!found) {
      found = { path: findPrlimit(env['PATH']) };
      if (found.path === undefined)
        log?.warn(
          { event: 'service:limits-unavailable' },
          'prlimit (util-linux) is not installed: tools that open uploads run without limits of memory, processor time and file size',
        );
    }
    return found.path;
  };

  return async (command, args, options = {}) => {
    const { cwd, name = command, limits = limitsOf(name) } = options;
    options.signal?.throwIfAborted();
    const wrapper = limits && prlimit();
    const limited = wrapper !== undefined && limits;
    const home = cwd ?? NO_HOME;
    // A process group per tool, so that processes which the tool starts are killed with it.
    const child = spawn(wrapper ?? command, limited ? prlimitArgs(limits, command, args) : args, {
      cwd,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: env['PATH'],
        HOME: home,
        XDG_RUNTIME_DIR: home,
        LC_ALL: 'C.UTF-8',
        ...(limits && LIMITED_ENV),
        ...options.env,
      },
    });
    return superviseTool(child, { ...options, name, args, limits: limits ?? undefined, wrapped: Boolean(limited) });
  };
}

type Child = ReturnType<typeof spawn> & { readonly stdout: NodeJS.ReadableStream; readonly stderr: NodeJS.ReadableStream };

interface Supervision extends Omit<ExecOptions, 'limits'> {
  readonly name: string;
  readonly args: readonly string[];
  readonly limits: ResourceLimits | undefined;
  /** Whether `prlimit` started the tool. */
  readonly wrapped: boolean;
}

/** Collects the output of a tool, enforces its deadline and memory limit, and settles when it has exited. */
function superviseTool(
  child: Child,
  { name: command, args, signal, timeout, onLine, limits, wrapped }: Supervision,
): Promise<ExecResult> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    let stdout = '';
    let stderr = '';
    let timedOut = false;
    let exceeded: string | undefined;
    let startError: Error | undefined;

    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
      if (onLine) {
        const lines = stdout.split('\n');
        stdout = lines.pop() ?? '';
        lines.forEach(onLine);
      } else if (stdout.length > MAX_STDOUT) {
        exceeded = OUTPUT_LIMIT;
        kill('SIGKILL');
      }
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr = (stderr + chunk).slice(-TAIL);
    });

    const kill = (killSignal: NodeJS.Signals): void => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, killSignal);
      } catch {
        // The process group has ended.
      }
    };
    let killer: NodeJS.Timeout | undefined;
    const stop = (): void => {
      kill('SIGTERM');
      killer ??= setTimeout(() => {
        kill('SIGKILL');
      }, KILL_AFTER_MS);
    };
    const timer =
      timeout === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            stop();
          }, timeout);
    const unwatch =
      limits?.resident && canWatchMemory && child.pid !== undefined
        ? watchResidentMemory(child.pid, limits.memory, () => {
            exceeded = memoryPhrase(limits);
            kill('SIGKILL');
          })
        : undefined;
    signal?.addEventListener('abort', stop, { once: true });

    child.on('error', (error) => {
      startError = error;
    });
    child.on('close', (exitCode, killedBy) => {
      clearTimeout(timer);
      clearTimeout(killer);
      unwatch?.();
      signal?.removeEventListener('abort', stop);
      // Processes that outlive the tool would keep using the working directory and the CPU.
      kill('SIGKILL');
      if (onLine && stdout) onLine(stdout);
      const duration = performance.now() - started;
      if (signal?.aborted && !timedOut) reject(signal.reason as Error);
      else if (exitCode === 0 && !startError && !timedOut && exceeded === undefined)
        resolve({ stdout: onLine ? '' : stdout, stderr, duration });
      else {
        const end = { exitCode: exitCode ?? undefined, killedBy: killedBy ?? signalOf(exitCode), stderr };
        const limit = exceeded ?? (limits && limitHit(limits, end));
        if (wrapped && isStartFailure(exitCode, stderr)) startError = toStartError(stderr);
        reject(new ToolError({ command, args, ...end, timedOut, limit, cause: startError }));
      }
    });
  });
}

/** Returns the error that `spawn` reports when it cannot start a command, from the message of `prlimit`. */
function toStartError(stderr: string): NodeJS.ErrnoException {
  const code = stderr.includes('No such file') ? 'ENOENT' : 'EACCES';
  return Object.assign(new Error(lastLine(stderr)), { code });
}

/** Returns the signal of a shell-like exit code 128 + n. */
function signalOf(exitCode: number | null): NodeJS.Signals | undefined {
  if (exitCode === null || exitCode <= 128) return undefined;
  return (Object.entries(constants.signals) as [NodeJS.Signals, number][]).find(([, n]) => n === exitCode - 128)?.[0];
}
