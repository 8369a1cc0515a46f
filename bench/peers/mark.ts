import { now } from '../report/figures.ts';
import type { Mark } from './peer.ts';

/** Sends an event with its time to the benchmark. */
export function sendMark(name: string, of?: string): void {
  process.send?.({ mark: name, at: now(), ...(of !== undefined && { of }) } satisfies Mark);
}

/** Exits with the benchmark, also if it is killed. */
process.once('disconnect', () => process.exit(1));
