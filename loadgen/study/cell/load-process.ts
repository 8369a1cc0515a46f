import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { toEnvironment } from '../../../infra/access/environment.ts';
import { root } from '../../../infra/process/paths.ts';
import { PermanentError } from '../../../shared/core/errors.ts';
import type { RunningSystem } from '../system/platform.ts';

/**
 * Runs `fave load` in a process of its own, so that nothing else that the study does makes an arrival late; what it says goes to
 * standard error. That requests failed is no error here, the record tells of it.
 * @throws PermanentError `load-broken`; what `signal` aborts with.
 */
export async function runLoadProcess(
  { store, bus }: Pick<RunningSystem, 'store' | 'bus'>,
  args: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [join(root, 'dist', 'fave.mjs'), 'load', ...args], {
    env: { PATH, HOME, ...toEnvironment(store, bus) },
    // A session of its own: Ctrl-C comes through here, and its precedence is not everybody's.
    detached: true,
    stdio: ['ignore', 2, 2],
  });
  const stop = (): void => void child.kill('SIGINT');
  signal.addEventListener('abort', stop, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) => child.once('exit', resolve).once('error', reject));
    signal.throwIfAborted();
    if (code !== 0 && code !== 1)
      throw new PermanentError('load-broken', `fave load ended with exit code ${String(code)}; what it said is above`);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
