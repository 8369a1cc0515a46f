import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { toEnvironment } from '../../../infra/access/environment.ts';
import { root } from '../../../infra/process/paths.ts';
import { PermanentError } from '../../../shared/core/errors.ts';
import type { RunningSystem } from '../system/platform.ts';

/**
 * Runs `fave load` in a separate process, so other work of the study does not delay arrivals. Its output goes to standard error.
 * Failed requests are part of the record and not an error of this function.
 * @throws PermanentError `load-broken`; the reason of `signal`.
 */
export async function runLoadProcess(
  { store, bus }: Pick<RunningSystem, 'store' | 'bus'>,
  args: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [join(root, 'dist', 'fave.mjs'), 'load', ...args], {
    env: { PATH, HOME, ...toEnvironment(store, bus) },
    // A separate session: this process forwards Ctrl-C, and the raised priority applies to the load generator only.
    detached: true,
    stdio: ['ignore', 2, 2],
  });
  const stop = (): void => void child.kill('SIGINT');
  signal.addEventListener('abort', stop, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) => child.once('exit', resolve).once('error', reject));
    signal.throwIfAborted();
    if (code !== 0 && code !== 1)
      throw new PermanentError('load-broken', `fave load ended with exit code ${String(code)}; see its output above`);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
