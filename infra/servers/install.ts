import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf, PermanentError } from '../../shared/core/errors.ts';
import { buildOnce } from '../process/build-cache.ts';
import type { ProgressReporter } from '../process/progress.ts';
import { cacheDir, root } from '../process/paths.ts';
import { serverPrograms, versionFits, type ServerProgram } from './table.ts';

const run = promisify(execFile);

/** Maximum output of `go install`, which lists the modules that it downloads (bytes). */
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

/** Absolute paths of the programs. */
export type ServerPaths = Readonly<Record<keyof typeof serverPrograms, string>>;

/**
 * Finds each program: its replacement on PATH, else the build in the cache, else a binary on PATH that is recent enough. Otherwise it
 * builds the program from source into the cache, once per machine, which takes minutes.
 * @throws PermanentError `go-missing`, `server-build-failed`.
 */
export async function ensureServers(progress: ProgressReporter, path = process.env['PATH'] ?? ''): Promise<ServerPaths> {
  const paths: Record<string, string> = {};
  for (const [key, program] of Object.entries(serverPrograms)) {
    paths[key] = await ensureProgram(program, progress, path);
  }
  return paths as ServerPaths;
}

/**
 * Returns the absolute path of one program, which is found or built as in {@link ensureServers}.
 * @throws PermanentError `go-missing`, `server-build-failed`.
 */
export async function ensureProgram(
  program: ServerProgram,
  progress: ProgressReporter,
  path = process.env['PATH'] ?? '',
): Promise<string> {
  return (await findServer(program, path)) ?? (await build(program, progress));
}

export function cachedPath({ name, version }: ServerProgram): string {
  return join(cacheDir, 'servers', `${name}@${version}`, name);
}

/** Returns the path of an installed or built program, or `undefined` if neither exists. */
export async function findServer(program: ServerProgram, path: string): Promise<string | undefined> {
  const { name, replacement } = program;
  // An operator installs a replacement on purpose, so it takes precedence over the cache.
  const preferred = replacement && (await findOnPath(replacement, program, path));
  if (preferred) return preferred;
  const built = cachedPath(program);
  return existsSync(built) ? built : findOnPath(name, program, path);
}

async function findOnPath(name: string, { atLeast }: ServerProgram, path: string): Promise<string | undefined> {
  for (const directory of path.split(delimiter)) {
    const candidate = join(directory, name);
    if (!existsSync(candidate)) continue;
    const { stdout } = await run(candidate, ['--version'], { timeout: 10_000 }).catch(() => ({ stdout: '' }));
    if (versionFits(stdout, atLeast)) return candidate;
  }
  return undefined;
}

function build(program: ServerProgram, progress: ProgressReporter): Promise<string> {
  const { name, version } = program;
  const make = async (scratch: string): Promise<string> => {
    await assertGo();
    await goInstall(program, scratch);
    return join(scratch, name);
  };
  return buildOnce(
    cachedPath(program),
    { description: `building ${name} ${version} from source (takes minutes, once per machine)`, make },
    progress,
  );
}

export function goInstallArgs({ package: path, version, module }: ServerProgram): string[] {
  return ['install', '-trimpath', '-ldflags', '-s -w', module === undefined ? `${path}@${version}` : path];
}

async function goInstall(program: ServerProgram, bin: string): Promise<void> {
  const cwd = program.module === undefined ? root : join(root, program.module);
  const env = { ...process.env, GOBIN: bin, GOFLAGS: '-modcacherw', CGO_ENABLED: '0' };
  await run('go', goInstallArgs(program), { cwd, env, maxBuffer: MAX_OUTPUT_BYTES }).catch((error: unknown) => {
    const { stderr = messageOf(error) } = error as { stderr?: string };
    throw new PermanentError(
      'server-build-failed',
      `${program.name} ${program.version} could not be built; go needs network access or a GOPROXY that provides the module: ${stderr.trim().slice(-1_000)}`,
    );
  });
}

async function assertGo(): Promise<void> {
  const { stdout } = await run('go', ['version']).catch(() => ({ stdout: '' }));
  const [, major, minor] = /go(\d+)\.(\d+)/.exec(stdout)?.map(Number) ?? [];
  if (major === undefined || minor === undefined || major < 1 || (major === 1 && minor < 24)) {
    const problem = major === undefined ? 'Go is not installed' : `Go ${major}.${minor ?? 0} is too old`;
    throw new PermanentError(
      'go-missing',
      `${problem}; install Go 1.24 or later (https://go.dev/dl/), which builds the servers from source once`,
    );
  }
}
