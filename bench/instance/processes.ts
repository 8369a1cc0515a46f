import { readFileSync, writeFileSync } from 'node:fs';

/** What the kernel says about processes (Linux, proc(5)). */

/** Milliseconds of a clock tick: `sysconf(_SC_CLK_TCK)` is 100 on every Linux that Node runs on. */
const TICK = 10;

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return ''; // It ended.
  }
}

/** Processor time used so far, milliseconds. */
export function readCpuTime(pid: number): number {
  // The name, in brackets, may hold anything: what follows it begins with the state, the third field.
  const text = read(pid, 'stat');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * TICK;
}

/** Resident memory now and at its peak, MB (10⁶ bytes); zeros for a process that ended. */
export function readMemory(pid: number): { rss: number; peak: number } {
  const status = read(pid, 'status');
  const field = (name: string): number =>
    (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1_024) / 1e6;
  return { rss: field('VmRSS'), peak: field('VmHWM') };
}

/** Makes a process's peak what it uses now. */
export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/** Name of the program, without its arguments. */
export function readProgramName(pid: number): string {
  return read(pid, 'comm').trim();
}

/** Processes that a process has started and that still run. */
export function listChildren(pid: number): number[] {
  // Node starts programs from its main thread. To look through all of /proc takes too long to see short-lived ones grow.
  return read(pid, `task/${pid}/children`).split(' ').filter(Boolean).map(Number);
}
