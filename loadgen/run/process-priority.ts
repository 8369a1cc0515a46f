import { readFileSync, writeFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

/** Nice value of the load generator. It uses little processor time, and its delays would distort all measurements. */
const NICE = -15;

/** Nice value of the session. Linux schedules a session as one group (sched(7), "The autogroup feature"); the value of a process counts only within it. */
const AUTOGROUP = '/proc/self/autogroup';

/** Raises the priority of this process, which needs root. @returns A function that restores it, or undefined if the system refused. */
export function raisePriority(): (() => void) | undefined {
  const before = getPriority();
  const session = autogroup();
  try {
    setPriority(NICE);
    if (session !== undefined) writeFileSync(AUTOGROUP, String(NICE));
  } catch {
    return undefined;
  }
  return () => {
    setPriority(before);
    if (session !== undefined) writeFileSync(AUTOGROUP, session);
  };
}

function autogroup(): string | undefined {
  try {
    return /nice (-?\d+)/.exec(readFileSync(AUTOGROUP, 'utf8'))?.[1];
  } catch {
    return undefined; // not Linux, or the feature is disabled
  }
}
