import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A process that can still be told from another one that got its number later. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in whatever unit the system tells it; empty where there is no such process. */
  readonly started: string;
}

export function identityOf(pid: number): ProcessIdentity {
  return { pid, started: startOf(pid) };
}

/** Whether that very process runs. */
export function isRunning({ pid, started }: ProcessIdentity): boolean {
  return started !== '' && startOf(pid) === started;
}

function startOf(pid: number): string {
  try {
    if (process.platform !== 'linux')
      return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    // The command's name, in parentheses, may hold spaces: state is the first field after it, starttime the twentieth (proc(5)).
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return fields[0] === 'Z' ? '' : (fields[19] ?? '');
  } catch {
    return '';
  }
}
