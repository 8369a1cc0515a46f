import { existsSync, readdirSync, readFileSync } from 'node:fs';

const INTERVAL_MS = 250;

/** Size of a memory page of Linux on x86-64 and arm64. */
const PAGE_BYTES = 4096;

/** Whether {@link watchResidentMemory} works here: it reads Linux's /proc. */
export const canWatchMemory = existsSync('/proc/self/stat');

/**
 * Calls `onExceeded` once when the processes of a group together use more than `limit` bytes of physical memory. It is for
 * programs such as Node.js and whisper.cpp, which reserve much more address space than they use.
 * @returns A function that stops the watch.
 */
export function watchResidentMemory(group: number, limit: number, onExceeded: () => void): () => void {
  const timer = setInterval(() => {
    if (readGroupMemory(group) <= limit) return;
    clearInterval(timer);
    onExceeded();
  }, INTERVAL_MS);
  return () => {
    clearInterval(timer);
  };
}

/** Returns the resident memory of a process group, in bytes. */
function readGroupMemory(group: number): number {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .reduce((sum, pid) => sum + readMemory(pid, group), 0);
}

/** Returns the resident memory of a process in bytes; 0 if it has ended or belongs to another group (proc_pid_stat(5)). */
function readMemory(pid: string, group: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name is in parentheses and may contain spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(fields[2]) === group ? Number(fields[21]) * PAGE_BYTES : 0;
  } catch {
    return 0;
  }
}
