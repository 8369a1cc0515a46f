import { execFile, spawn } from 'node:child_process';
import { access } from 'node:fs/promises';
import { promisify } from 'node:util';
import { PermanentError } from '../../shared/core/errors.ts';
import { reportStep, type ProgressReporter } from '../process/progress.ts';

const run = promisify(execFile);

/** Debian packages that the stages need, each with what shows that it is there: a program on PATH, or a file. */
const packages: Readonly<Record<string, string>> = {
  ffmpeg: 'ffprobe',
  pocketsphinx: 'pocketsphinx_continuous',
  'pocketsphinx-en-us': '/usr/share/pocketsphinx/model/en-us',
  'espeak-ng': 'espeak-ng', // speaks the demo's video and the tests' speech
  'uuid-runtime': 'uuidgen', // makes request ids on the command line
};

/**
 * Installs the system packages that are missing, where this user may.
 * @param more Packages beside those that the stages need.
 * @throws PermanentError `packages-missing` that says what to install.
 */
export async function ensurePackages(progress: ProgressReporter, more: Readonly<Record<string, string>> = {}): Promise<void> {
  const missing: string[] = [];
  for (const [name, sign] of Object.entries({ ...packages, ...more })) if (!(await isPresent(sign))) missing.push(name);
  if (missing.length === 0) return;
  const prefix = await privilege();
  if (prefix === undefined) {
    throw new PermanentError(
      'packages-missing',
      `please install ${missing.join(', ')} (Debian, Ubuntu: sudo apt-get install ${missing.join(' ')})`,
    );
  }
  progress(`installing ${missing.join(', ')} …`);
  await reportStep(progress, `installed ${missing.join(', ')}`, async () => {
    await aptGet(prefix, ['update', '-qq']).catch(() => undefined); // a stale list may still do
    await aptGet(prefix, ['install', '-y', '-qq', '--no-install-recommends', ...missing]).catch((cause: unknown) => {
      throw new PermanentError(
        'packages-missing',
        `apt-get could not install ${missing.join(', ')} (see above): please install them`,
        { cause },
      );
    });
  });
}

async function isPresent(sign: string): Promise<boolean> {
  const check = sign.startsWith('/') ? access(sign) : run('sh', ['-c', 'command -v "$0"', sign]);
  return check.then(
    () => true,
    () => false,
  );
}

/** The command in front of `apt-get` that gives it its rights; undefined where there is none. */
async function privilege(): Promise<string[] | undefined> {
  if (!(await isPresent('apt-get'))) return undefined;
  if (process.getuid?.() === 0) return [];
  return run('sudo', ['-n', 'true']).then(
    () => ['sudo', '-n'],
    () => undefined,
  );
}

async function aptGet(prefix: readonly string[], args: readonly string[]): Promise<void> {
  const [command = 'apt-get', ...rest] = [...prefix, 'apt-get', ...args];
  // Debian's front end would ask questions that nobody answers.
  const child = spawn(command, rest, { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, stdio: ['ignore', 2, 2] });
  const code = await new Promise<number | null>((resolve, reject) => child.once('exit', resolve).once('error', reject));
  if (code !== 0) throw new Error(`apt-get ended with ${String(code)}`);
}
