import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { readEnvironment } from '../config/config.ts';
import type { OptionSchemas } from '../core/options.ts';

/** Limits of a tool. Decoders of untrusted files are written in C, and a header of a few bytes can request terabytes. */
export interface ResourceLimits {
  /** Address space in bytes, for frames, thread stacks and libraries (0.2 GB for ffmpeg). Physical memory if `resident`. */
  readonly memory: number;
  /** Whether `memory` limits the physical memory of the process group instead of the address space of each process. */
  readonly resident?: boolean;
  /** Processor time of all threads, in seconds. */
  readonly cpu: number;
  /** Size of the largest file that the tool may write, in bytes. */
  readonly fileSize: number;
}

/** Environment variables for the limits of tools that open uploads. */
export const toolEnvironment = {
  FAVE_TOOL_MEMORY_MB: {
    type: 'integer',
    default: 4096,
    minimum: 256,
    maximum: 1_048_576,
    description:
      'maximum address space of a tool that opens uploads (of whisper: maximum physical memory), in MB; 8K video needs more than 2500',
  },
  FAVE_TOOL_CPU_SECONDS: {
    type: 'integer',
    default: 3600,
    minimum: 1,
    maximum: 604_800,
    description: 'maximum processor time of one run of such a tool, in seconds of all its threads',
  },
  FAVE_TOOL_FILE_MB: {
    type: 'integer',
    default: 16_384,
    minimum: 1,
    maximum: 16_777_216,
    description: 'maximum size of a file that such a tool writes, in MB; a remuxed source must fit',
  },
} as const satisfies OptionSchemas;

/** Programs that read uploads or data derived from them. */
const TOOLS: readonly string[] = ['ffmpeg', 'ffprobe', 'pocketsphinx_batch'];

/** Programs that reserve more address space than they use, so that only their physical memory can be limited. */
const RESIDENT_TOOLS: readonly string[] = ['whisper'];

const MB = 1024 * 1024;

/**
 * Returns the limits of each program by its name.
 * @returns Undefined for programs that do not open uploads.
 * @throws PermanentError `invalid-environment-variable`.
 */
export function toolLimits(env: Readonly<Record<string, string | undefined>>): (name: string) => ResourceLimits | undefined {
  const read = readEnvironment(toolEnvironment, env) as { [K in keyof typeof toolEnvironment]: number };
  const limits = {
    memory: read.FAVE_TOOL_MEMORY_MB * MB,
    cpu: read.FAVE_TOOL_CPU_SECONDS,
    fileSize: read.FAVE_TOOL_FILE_MB * MB,
  };
  return (name) => {
    if (RESIDENT_TOOLS.includes(name)) return { ...limits, resident: true };
    return TOOLS.includes(name) ? limits : undefined;
  };
}

/**
 * Returns arguments of util-linux's `prlimit` that run a command within limits. `prlimit` replaces itself by the command, so
 * process group, signals and exit code are those of the command. The hard limit of processor time is above the soft limit, so
 * the kernel kills a tool that ignores SIGXCPU. Core dumps are disabled: they would contain the upload.
 */
export function prlimitArgs(limits: ResourceLimits, command: string, args: readonly string[]): string[] {
  const { memory, resident, cpu, fileSize } = limits;
  const addressSpace = resident ? [] : [`--as=${memory}`];
  return [...addressSpace, `--cpu=${cpu}:${cpu + 2}`, `--fsize=${fileSize}`, '--core=0', '--', command, ...args];
}

/** Without this, each glibc thread reserves 64 MB of address space, which exceeds the limit on a machine with many cores. */
export const LIMITED_ENV: Readonly<Record<string, string>> = { MALLOC_ARENA_MAX: '2' };

/** Returns whether `prlimit` could not start the command: it then exits with 126 or 127, as the shell does (env(1), exit status). */
export function isStartFailure(exitCode: number | null, stderr: string): boolean {
  return (exitCode === 126 || exitCode === 127) && stderr.startsWith('prlimit: ');
}

/** Returns the memory limit as a phrase with its variable. */
export function memoryPhrase({ memory }: ResourceLimits): string {
  return `${memory / MB} MB of memory (FAVE_TOOL_MEMORY_MB)`;
}

/** Returns the limit that a tool exceeded, as a phrase with its variable; undefined if the tool failed for another reason. */
export function limitHit(
  limits: ResourceLimits,
  end: { exitCode: number | undefined; killedBy: NodeJS.Signals | undefined; stderr: string },
): string | undefined {
  const { exitCode, killedBy, stderr } = end;
  // ffmpeg treats SIGXCPU as a request to stop, and exits with 255 after each such request (fftools/ffmpeg.c, sigterm_handler).
  if (killedBy === 'SIGXCPU' || (exitCode === 255 && !killedBy))
    return `${limits.cpu} seconds of processor time (FAVE_TOOL_CPU_SECONDS)`;
  if (killedBy === 'SIGXFSZ' || /File too large/.test(stderr)) return `a file of ${limits.fileSize / MB} MB (FAVE_TOOL_FILE_MB)`;
  // The messages of strerror(ENOMEM), x264 and C++. The exit code does not distinguish them from a damaged file.
  return /Cannot allocate memory|malloc of size \d+ failed|bad_alloc/.test(stderr) ? memoryPhrase(limits) : undefined;
}

/** Returns the path of `prlimit`; undefined if it is not installed, as on macOS. */
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
