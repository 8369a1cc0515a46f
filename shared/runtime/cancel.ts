import { Fault } from '../errors.ts';
import { metadataPaths, requestPrefix } from '../keys.ts';
import type { Bus } from '../bus.ts';
import type { Store } from '../store.ts';
import { subjects } from '../topology.ts';
import type { Attempt } from './attempt.ts';

/** Why an attempt ended early: the reason its signal aborts with. */
export class Cancelled extends Fault {
  constructor(requestId: string) {
    super('cancelled', `request ${requestId} was cancelled or ran out of time`);
  }
}

/** Ends work on cancelled requests: a durable marker in the bucket before an item begins, an event while it is worked on. */
export interface Cancellations {
  isCancelled(requestId: string, run: number, signal: AbortSignal): Promise<boolean>;
  /** Aborts the attempt when its request is cancelled. @returns Stops watching. */
  watch(attempt: Attempt): () => void;
}

export function createCancellations(bus: Bus, store: Store): Cancellations {
  const running = new Set<Attempt>();
  const stop = (_: unknown, { subject }: { subject: string }): void => {
    const requestId = subject.split('.')[2] ?? '';
    for (const { landed, abort } of running) if (landed.request_id === requestId) abort.abort(new Cancelled(requestId));
  };
  // A run that has failed while items are being worked on has run out of time.
  for (const event of ['cancelled', 'failed'] as const)
    bus.connection.subscribe(subjects.lifecycle('*', event), { callback: stop });
  return {
    isCancelled: async (requestId, run, signal) => {
      const marker = await store.text(requestPrefix(requestId) + metadataPaths.cancelled, { signal });
      return marker !== undefined && run <= (JSON.parse(marker.text) as { run: number }).run;
    },
    watch: (attempt) => {
      running.add(attempt);
      return () => running.delete(attempt);
    },
  };
}
