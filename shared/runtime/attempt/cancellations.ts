import type { Msg } from 'nats';
import type { RequestState } from '../../../schemas/generated/types.ts';
import { FaveError } from '../../core/errors.ts';
import { metadataPaths, requestPrefix } from '../../pipeline/keys.ts';
import type { Bus } from '../../bus/connection.ts';
import type { Logger } from '../../observability/log.ts';
import type { Store } from '../../store/store.ts';
import { subjects } from '../../bus/topology.ts';
import { parseJson, validate } from '../../core/validate.ts';
import type { Attempt } from './attempt.ts';

/** Why an attempt ended early: the reason its signal aborts with. */
export class CancelledError extends FaveError {
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

export function createCancellations({ bus, store, log }: { bus: Bus; store: Store; log: Logger }): Cancellations {
  const running = new Set<Attempt>();
  const stop = (error: Error | null, message: Msg): void => {
    if (error) {
      log.error(
        { event: 'cancel:subscription-failed', error },
        'this worker is not told of cancellations while it works: check its rights on the bus',
      );
      return;
    }
    const event = lifecycleOf(message);
    if (!event) return;
    const { request_id: requestId, run } = event;
    for (const { landed, abort } of running) {
      if (landed.request_id === requestId && landed.run <= run) abort.abort(new CancelledError(requestId));
    }
  };
  // A run that has failed while items are being worked on has run out of time.
  for (const event of ['cancelled', 'failed'] as const) {
    bus.connection.subscribe(subjects.lifecycle('*', event), { callback: stop });
  }
  return {
    isCancelled: async (requestId, run, signal) => {
      const marker = await store.getTextAfterHead(requestPrefix(requestId) + metadataPaths.cancelled, { signal });
      return marker !== undefined && run <= (JSON.parse(marker.text) as { run: number }).run;
    },
    watch: (attempt) => {
      running.add(attempt);
      return () => running.delete(attempt);
    },
  };
}

/** What a message on `fave.requests.*.*` says; undefined where somebody published something else there. */
function lifecycleOf(message: Msg): RequestState | undefined {
  try {
    return validate('requestState', parseJson('cloudEvent', message.string()).data);
  } catch {
    return undefined;
  }
}
