import { readdir, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { directoryPrefix } from './workdir.ts';

/**
 * Removes the orphans of killed workers of a stage: their working directories, and the tools that still run in them (each tool has
 * its own process group and survives its worker). Call it before the first item. A directory with the process id of the caller
 * belongs to a predecessor, so process ids must be unique on the machine of `tmpdir`.
 * @returns Names of the removed directories.
 */
export async function removeStageOrphans(tmpdir: string, stage: string): Promise<string[]> {
  const orphans = (await readdir(tmpdir)).filter((name) => {
    const pid = ownerOf(name, stage);
    return pid !== undefined && (pid === process.pid || !isAlive(pid));
  });
  for (const name of orphans) {
    const dir = join(tmpdir, name);
    for (const pid of await processesIn(dir)) kill(pid);
    await rm(dir, { recursive: true, force: true, maxRetries: 3 });
  }
  return orphans;
}

/** Returns the id of the process that created a directory, or `undefined` if the directory does not belong to the stage. */
function ownerOf(name: string, stage: string): number | undefined {
  const prefix = directoryPrefix(stage, '');
  const match = name.startsWith(prefix) ? /^(\d+)-[^-]{6}$/.exec(name.slice(prefix.length)) : undefined;
  return match ? Number(match[1]) : undefined;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // The process has exited.
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Returns the processes whose working directory is `dir` or below it. Linux only (proc(5)); elsewhere it finds none. */
async function processesIn(dir: string): Promise<number[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '');
      return cwd === dir || cwd.startsWith(`${dir}/`) ? [Number(pid)] : [];
    }),
  );
  return found.flat();
}
