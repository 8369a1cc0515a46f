import { readdir, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { directoryPrefix } from './workdir.ts';

/**
 * Removes what processes of a stage left that were killed while they worked: the directories of their items, and the tools
 * that still run in them (a tool is a process group of its own, and outlives whoever started it). To be called before the
 * first item, by a process that is the only one of its number on `tmpdir`'s machine: what bears its own number is a predecessor's.
 * @returns Names of the directories.
 */
export async function removeStageOrphans(tmpdir: string, stage: string): Promise<string[]> {
  const left = (await readdir(tmpdir)).filter((name) => {
    const pid = ownerOf(name, stage);
    return pid !== undefined && (pid === process.pid || !isAlive(pid));
  });
  for (const name of left) {
    const dir = join(tmpdir, name);
    for (const pid of await processesIn(dir)) kill(pid);
    await rm(dir, { recursive: true, force: true, maxRetries: 3 });
  }
  return left;
}

/** Number of the process whose item has the directory; undefined where it is none of the stage's. */
function ownerOf(name: string, stage: string): number | undefined {
  const prefix = directoryPrefix(stage, '');
  const match = name.startsWith(prefix) ? /^(\d+)-[^-]{6}$/.exec(name.slice(prefix.length)) : undefined;
  return match ? Number(match[1]) : undefined;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
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

/** Processes that work in a directory or below it (Linux, proc(5); elsewhere none are found). */
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
