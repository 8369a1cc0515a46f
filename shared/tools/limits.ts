import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { readEnvironment } from '../config/config.ts';
import type { OptionSchemas } from '../core/options.ts';

/** What a tool may use of the machine: the decoders of hostile files are C, and a header of a few bytes can ask for terabytes. */
export interface ResourceLimits {
  /** Bytes of address space: frames, threads' stacks and libraries (those of ffmpeg alone are 0.2 GB). */
  readonly memory: number;
  /** Seconds of processor time, of all threads together. */
  readonly cpu: number;
  /** Bytes of the largest file that it may write. */
  readonly fileSize: number;
}

/** What an operator may choose for the tools that open uploads. */
export const toolEnvironment = {
  FAVE_TOOL_MEMORY_MB: {
    type: 'integer',
    default: 4096,
    minimum: 256,
    maximum: 1_048_576,
    description: 'address space of a tool that opens uploads, in MB; 8K video needs more than 2500',
  },
  FAVE_TOOL_CPU_SECONDS: {
    type: 'integer',
    default: 3600,
    minimum: 1,
    maximum: 604_800,
    description: 'processor time of one run of such a tool, in seconds of all its threads together',
  },
  FAVE_TOOL_FILE_MB: {
    type: 'integer',
    default: 16_384,
    minimum: 1,
    maximum: 16_777_216,
    description: 'largest file that such a tool may write, in MB; a source that is remuxed whole has to fit',
  },
} as const satisfies OptionSchemas;

/** Programs that read what users sent, or what was made of it. */
const TOOLS: readonly string[] = ['ffmpeg', 'ffprobe', 'pocketsphinx_batch'];

const MB = 1024 * 1024;

/**
 * The limits of each program, by its name.
 * @returns Undefined for programs that open nothing of a user's: Node alone reserves more address space than any decoder needs.
 * @throws PermanentError `invalid-environment-variable`.
 */
export function toolLimits(env: Readonly<Record<string, string | undefined>>): (command: string) => ResourceLimits | undefined {
  const read = readEnvironment(toolEnvironment, env) as { [K in keyof typeof toolEnvironment]: number };
  const limits = {
    memory: read.FAVE_TOOL_MEMORY_MB * MB,
    cpu: read.FAVE_TOOL_CPU_SECONDS,
    fileSize: read.FAVE_TOOL_FILE_MB * MB,
  };
  return (command) => (TOOLS.includes(command) ? limits : undefined);
}

/**
 * Arguments of util-linux's `prlimit` that run a command within limits. It replaces itself by the command, so process group,
 * signals and exit code are the command's own. The processor's hard limit lies above the soft one, so that a tool that ignores
 * SIGXCPU is killed a little later. A core dump would hold the upload, outside the item's directory.
 */
export function prlimitArgs({ memory, cpu, fileSize }: ResourceLimits, command: string, args: readonly string[]): string[] {
  return [`--as=${memory}`, `--cpu=${cpu}:${cpu + 2}`, `--fsize=${fileSize}`, '--core=0', '--', command, ...args];
}

/** Each glibc thread else reserves 64 MB of address space of its own, which on a machine of many cores is all there is. */
export const LIMITED_ENV: Readonly<Record<string, string>> = { MALLOC_ARENA_MAX: '2' };

/** Whether `prlimit` could not start the command, as the shell's convention for such programs has it (env(1), exit status). */
export function isStartFailure(exitCode: number | null, stderr: string): boolean {
  return (exitCode === 126 || exitCode === 127) && stderr.startsWith('prlimit: ');
}

/** The limit that a tool ran into, as a phrase with the variable that sets it; undefined where it failed by itself. */
export function limitHit(
  { memory, cpu, fileSize }: ResourceLimits,
  end: { exitCode: number | undefined; killedBy: NodeJS.Signals | undefined; stderr: string },
): string | undefined {
  const { exitCode, killedBy, stderr } = end;
  // ffmpeg takes SIGXCPU for a request to stop, and answers every such request with 255 (fftools/ffmpeg.c, sigterm_handler).
  if (killedBy === 'SIGXCPU' || (exitCode === 255 && !killedBy))
    return `${cpu} seconds of processor time (FAVE_TOOL_CPU_SECONDS)`;
  if (killedBy === 'SIGXFSZ' || /File too large/.test(stderr)) return `a file of ${fileSize / MB} MB (FAVE_TOOL_FILE_MB)`;
  // strerror(ENOMEM) and x264's own words, which no flag tells apart from a file that is damaged.
  if (/Cannot allocate memory|malloc of size \d+ failed|bad_alloc/.test(stderr))
    return `${memory / MB} MB of memory (FAVE_TOOL_MEMORY_MB)`;
  return undefined;
}

/** Where `prlimit` is; undefined where it is not, as on macOS. */
export function findPrlimit(path = ''): string | undefined {
  const isProgram = (file: string): boolean => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  };
  return path
    .split(delimiter)
    .filter(Boolean)
    .map((folder) => join(folder, 'prlimit'))
    .find(isProgram);
}
