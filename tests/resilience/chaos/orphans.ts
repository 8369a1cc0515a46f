import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Lists the entries of a directory, except the file with which the test fills the disk. */
export function listEntries(dir: string): string[] {
  return readdirSync(dir).filter((name) => name !== 'ballast');
}

/** Finds processes with a working directory below a directory (Linux, proc(5)). */
export function findProcesses(dir: string): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      return readlinkSync(`/proc/${pid}/cwd`).startsWith(dir)
        ? [`${pid} ${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()}`]
        : [];
    } catch {
      return []; // The process has exited, or belongs to another user.
    }
  });
}
