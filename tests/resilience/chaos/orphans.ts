import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Names of what lies in a directory, but for what lies there on purpose. */
export function listEntries(dir: string): string[] {
  return readdirSync(dir).filter((name) => name !== 'ballast');
}

/** Programs that work in a directory or below it (Linux, proc(5)). */
export function findProcesses(dir: string): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      return readlinkSync(`/proc/${pid}/cwd`).startsWith(dir)
        ? [`${pid} ${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()}`]
        : [];
    } catch {
      return []; // It has ended, or is another user's.
    }
  });
}
