import { execFile, spawn } from 'node:child_process';
import { access } from 'node:fs/promises';
import { promisify } from 'node:util';
import { PermanentError } from '../../shared/core/errors.ts';
import { reportStep, type ProgressReporter } from '../process/progress.ts';

const run = promisify(execFile);

/** Debian packages that the stages need. The value is a program on PATH or a file, which exists if the package is installed. */
const packages: Readonly<Record<string, string>> = {
  ffmpeg: 'ffprobe',
  pocketsphinx: 'pocketsphinx_continuous',
  'pocketsphinx-en-us': '/usr/share/pocketsphinx/model/en-us',
  'espeak-ng': 'espeak-ng', // synthesises the speech of the demo and the tests
  'uuid-runtime': 'uuidgen', // creates request ids on the command line
};

/**
 * Installs missing system packages, if this user may do so.
 * @param additional Packages in addition to those that the stages need.
 * @throws PermanentError `packages-missing`, with the packages to install.
 */
export async function ensurePackages(
  progress: ProgressReporter,
  additional: Readonly<Record<string, string>> = {},
): Promise<void> {
  const missing: string[] = [];
  for (const [name, evidence] of Object.entries({ ...packages, ...additional }))
    if (!(await isPresent(evidence))) missing.push(name);
  if (missing.length === 0) return;
  const prefix = await findRootPrefix();
  if (prefix === undefined) {
    throw new PermanentError(
      'packages-missing',
      `install ${missing.join(', ')} (Debian, Ubuntu: sudo apt-get install ${missing.join(' ')})`,
    );
  }
  progress(`installing ${missing.join(', ')} …`);
  await reportStep(progress, `installed ${missing.join(', ')}`, async () => {
    await aptGet(prefix, ['update', '-qq']).catch(() => undefined); // a stale package list may be sufficient
    await aptGet(prefix, ['install', '-y', '-qq', '--no-install-recommends', ...missing]).catch((cause: unknown) => {
      throw new PermanentError(
        'packages-missing',
        `apt-get could not install ${missing.join(', ')} (see its output above): install them manually`,
        { cause },
      );
    });
  });
}

async function isPresent(evidence: string): Promise<boolean> {
  const check = evidence.startsWith('/') ? access(evidence) : run('sh', ['-c', 'command -v "$0"', evidence]);
  return check.then(
    () => true,
    () => false,
  );
}

/** Returns the command prefix that runs `apt-get` as root, or `undefined` if this user cannot run it as root. */
async function findRootPrefix(): Promise<string[] | undefined> {
  if (!(await isPresent('apt-get'))) return undefined;
  if (process.getuid?.() === 0) return [];
  return run('sudo', ['-n', 'true']).then(
    () => ['sudo', '-n'],
    () => undefined,
  );
}

async function aptGet(prefix: readonly string[], args: readonly string[]): Promise<void> {
  const [command = 'apt-get', ...rest] = [...prefix, 'apt-get', ...args];
  // The default front end of Debian would wait for input.
  const child = spawn(command, rest, { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, stdio: ['ignore', 2, 2] });
  const code = await new Promise<number | null>((resolve, reject) => child.once('exit', resolve).once('error', reject));
  if (code !== 0) throw new Error(`apt-get exited with ${String(code)}`);
}
