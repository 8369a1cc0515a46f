import { readFile } from 'node:fs/promises';

/** What the Linux kernel says about the machine and its processes (proc(5)). */

/** Milliseconds of a clock tick: `sysconf(_SC_CLK_TCK)` is 100 on every Linux that Node runs on. */
const TICK = 10;

/** Time of all cores since boot, in ticks. */
export interface CpuTimes {
  readonly busy: number;
  readonly all: number;
}

export async function readCpuTimes(): Promise<CpuTimes> {
  const [line = ''] = (await readFile('/proc/stat', 'utf8')).split('\n');
  // user nice system idle iowait irq softirq steal; guests' time is in user's already
  const fields = line.split(/\s+/).slice(1, 9).map(Number);
  const all = fields.reduce((sum, field) => sum + field, 0);
  return { all, busy: all - (fields[3] ?? 0) - (fields[4] ?? 0) };
}

/** Share of all cores that was busy between two looks. */
export function computeBusyShare(before: CpuTimes, after: CpuTimes): number {
  const all = after.all - before.all;
  return all <= 0 ? 0 : Math.min(1, Math.max(0, (after.busy - before.busy) / all));
}

/** Processor time of a process and of those of its children that have ended, milliseconds; 0 where it has ended. */
export async function readCpuTime(pid: number): Promise<number> {
  const text = await read(pid, 'stat');
  // The name, in brackets, may hold anything: what follows it begins with the state, the third field.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return [11, 12, 13, 14].reduce((sum, field) => sum + Number(fields[field] ?? 0), 0) * TICK;
}

/** Resident memory, 10⁶ bytes to one digit; 0 for a process that has ended. */
export async function readResidentMemory(pid: number): Promise<number> {
  const kib = Number(/^VmRSS:\s+(\d+) kB/m.exec(await read(pid, 'status'))?.[1] ?? 0);
  return Math.round((kib * 1_024) / 1e5) / 10;
}

function read(pid: number, file: string): Promise<string> {
  return readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
}
