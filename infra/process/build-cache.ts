import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { withLock } from './lock.ts';
import { reportStep, type ProgressReporter } from './progress.ts';

/** How a file of the cache is made. */
export interface Recipe {
  /** What is done meanwhile, and how long it may take: `building mc v1 from source (minutes, once a machine)`. */
  readonly doing: string;
  /** @param scratch Folder beside the target, removed afterwards. @returns Path of what it made in there. */
  make(scratch: string): Promise<string>;
}

/**
 * A file that is made once a machine, and is there complete or not at all; who wants it meanwhile waits for the one who makes it.
 * @param target Absolute path; kept from then on, so whatever it is made of belongs in its name.
 * @returns The target.
 */
export async function buildOnce(target: string, { doing, make }: Recipe, progress: ProgressReporter): Promise<string> {
  if (existsSync(target)) return target;
  const [dir, name] = [dirname(target), basename(target)];
  await mkdir(dir, { recursive: true });
  const work = async (): Promise<string> => {
    if (existsSync(target)) return target; // made by the one we waited for
    progress(`${doing} …`);
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
