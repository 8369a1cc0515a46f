import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackgroundTasks } from '../background-tasks.ts';
import { watchDisk, type DiskWatch } from './disk.ts';
import type { StageRun } from './stage-run.ts';

/** Temporary directory of an attempt. */
export interface Workdir {
  readonly dir: string;
  readonly disk: DiskWatch;
}

/**
 * Creates a temporary directory, runs `use`, then aborts everything that still runs for the attempt and removes the directory.
 * @throws UnavailableError `disk-full` in place of any error of `use`, if the disk was full during `use`.
 */
export async function withWorkdir<T>(
  { stage, abort }: Pick<StageRun, 'stage' | 'abort'>,
  { tmpdir, background }: { readonly tmpdir: string; readonly background: BackgroundTasks },
  use: (workdir: Workdir) => Promise<T>,
): Promise<T> {
  const disk = watchDisk(tmpdir);
  let dir: string | undefined;
  try {
    // Synchronous: 0.1 ms, compared with 0.5 ms through the thread pool.
    dir = mkdtempSync(join(tmpdir, directoryPrefix(stage.name)));
    return await use({ dir, disk });
  } catch (error) {
    throw await disk.explainError(error);
  } finally {
    disk.stop();
    abort.abort();
    if (dir !== undefined) removeInBackground(dir, background);
  }
}

function removeInBackground(dir: string, background: BackgroundTasks): void {
  const remove = (): Promise<void> => rm(dir, { recursive: true, force: true, maxRetries: 3 });
  background.start(remove, `${dir} remains until another process of this stage starts`);
}

/** Returns the prefix of directory names. It contains the process id, by which a successor recognises directories of a killed process. */
export function directoryPrefix(stage: string, owner = `${process.pid}-`): string {
  return `fave-${stage}-${owner}`;
}
