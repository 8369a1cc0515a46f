import { now } from '../report/figures.ts';
import type { Mark } from './peer.ts';

/** Tells the benchmark that something happens now. */
export function sendMark(name: string, of?: string): void {
  process.send?.({ mark: name, at: now(), ...(of !== undefined && { of }) } satisfies Mark);
}

/** A benchmark that was killed leaves nobody behind. */
process.once('disconnect', () => process.exit(1));
