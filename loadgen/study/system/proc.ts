import { readFileSync, writeFileSync } from 'node:fs';

/** Readers of the Linux `/proc` file system (proc(5)). Values of a process that has exited are 0 or empty. */

/** Duration of a clock tick, in milliseconds: `sysconf(_SC_CLK_TCK)` is 100 on every Linux that Node supports. */
const TICK_MS = 10;

/** Time of all cores since boot, in ticks. */
export interface CpuTimes {
  readonly busy: number;
  readonly all: number;
}

/** Reads the time of all cores since boot. */
export function readCpuTimes(): CpuTimes {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  // user nice system idle iowait irq softirq steal; the time of guests is part of user.
  const fields = line.split(/\s+/).slice(1, 9).map(Number);
  const all = fields.reduce((sum, field) => sum + field, 0);
  return { all, busy: all - (fields[3] ?? 0) - (fields[4] ?? 0) };
}

/** Returns the busy share of all cores between two readings, from 0 to 1. */
export function computeBusyShare(before: CpuTimes, after: CpuTimes): number {
  const all = after.all - before.all;
  return all <= 0 ? 0 : Math.min(1, Math.max(0, (after.busy - before.busy) / all));
}

/** Reads the processor time of a process, in milliseconds. `withChildren` adds the time of children that have exited. */
export function readCpuTime(pid: number, { withChildren = false } = {}): number {
  const text = readProcFile(pid, 'stat');
  // The second field is the name in brackets and may contain spaces. The state, which is the third field, follows it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, withChildren ? 15 : 13).reduce((sum, field) => sum + Number(field), 0) * TICK_MS;
}

/** Reads the processor time of a process, of its running descendants and of those that have exited, in milliseconds. */
export function readTreeCpuTime(pid: number): number {
  return listChildren(pid).reduce((sum, child) => sum + readTreeCpuTime(child), readCpuTime(pid, { withChildren: true }));
}

/** Reads the current and the peak resident memory of a process, in MB (10⁶ bytes). */
export function readMemory(pid: number): { rss: number; peak: number } {
  const status = readProcFile(pid, 'status');
  const field = (name: string): number =>
    (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1_024) / 1e6;
  return { rss: field('VmRSS'), peak: field('VmHWM') };
}

/** Resets the peak memory of a process to its current memory. */
export function resetPeakMemory(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/** Reads the program name of a process, without arguments. */
export function readProgramName(pid: number): string {
  return readProcFile(pid, 'comm').trim();
}

/** Lists the running children of the main thread of a process, which is the thread from which Node starts programs. */
export function listChildren(pid: number): number[] {
  return readProcFile(pid, `task/${pid}/children`).split(' ').filter(Boolean).map(Number);
}

function readProcFile(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return ''; // The process has exited.
  }
}
