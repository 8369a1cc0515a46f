import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { withLock } from './lock.ts';
import { reportStep, type ProgressReporter } from './progress.ts';

/** How a file of the cache is made. */
export interface Recipe {
  /** Message during the work, with its usual duration: `building mc v1 from source (minutes, once per machine)`. */
  readonly description: string;
  /** Creates the file. @param scratch Directory beside the target, removed afterwards. @returns Path of the file in it. */
  make(scratch: string): Promise<string>;
}

/**
 * Returns a file that is created once per machine. Concurrent callers wait for the first one, and the file is complete as soon
 * as it exists.
 * @param target Absolute path. It is never replaced, so its name must contain the version of its sources.
 * @returns The target.
 */
export async function buildOnce(target: string, { description, make }: Recipe, progress: ProgressReporter): Promise<string> {
  if (existsSync(target)) return target;
  const [dir, name] = [dirname(target), basename(target)];
  await mkdir(dir, { recursive: true });
  const work = async (): Promise<string> => {
    if (existsSync(target)) return target; // another process created it
    progress(`${description} …`);
    return reportStep(progress, `made ${name}`, async () => {
      const scratch = await mkdtemp(join(dir, '.making-'));
      try {
        await rename(await make(scratch), target);
      } finally {
        await rm(scratch, { recursive: true, force: true });
      }
      return target;
    });
  };
  return withLock(join(dir, `.lock-${name}`), work, () => {
    progress(`waiting for another process that makes ${name} …`);
  });
}
