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

/** The request of the attempt was cancelled, its `timeout` has passed, or it was removed. */
export class CancelledError extends FaveError {
  constructor(requestId: string, problem = 'was cancelled or has timed out') {
    super('cancelled', `request ${requestId} ${problem}`);
  }
}

/**
 * Ends the work on cancelled requests. A durable marker in the bucket is read before an item is processed; lifecycle events
 * abort attempts that are running.
 */
export interface Cancellations {
  isCancelled(requestId: string, run: number, signal: AbortSignal): Promise<boolean>;
  /** Aborts the attempt when its request is cancelled. Returns a function that stops watching. */
  watch(attempt: Attempt): () => void;
}

export function createCancellations({ bus, store, log }: { bus: Bus; store: Store; log: Logger }): Cancellations {
  const running = new Set<Attempt>();
  const abortCancelled = (error: Error | null, message: Msg): void => {
    if (error) {
      log.error(
        { event: 'cancel:subscription-failed', error },
        'this worker does not receive cancellations of running items: check the permissions of its NATS user',
      );
      return;
    }
    const state = parseLifecycleEvent(message);
    if (!state) return;
    const { request_id: requestId, run } = state;
    for (const { landed, abort } of running) {
      if (landed.request_id === requestId && landed.run <= run) abort.abort(new CancelledError(requestId));
    }
  };
  // A run that fails while its items are being processed has timed out.
  for (const event of ['cancelled', 'failed'] as const) {
    bus.connection.subscribe(subjects.lifecycle('*', event), { callback: abortCancelled });
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

/** Runs `use` and aborts the attempt when its request is cancelled or the grace period of the process ends. */
export async function withCancellation<T>(
  { cancellations, killSignal }: { readonly cancellations: Cancellations; readonly killSignal: AbortSignal },
  attempt: Attempt,
  use: () => Promise<T>,
): Promise<T> {
  const unwatch = cancellations.watch(attempt);
  const onKill = (): void => {
    attempt.abort.abort(killSignal.reason);
  };
  if (killSignal.aborted) onKill();
  killSignal.addEventListener('abort', onKill, { once: true });
  try {
    return await use();
  } finally {
    unwatch();
    killSignal.removeEventListener('abort', onKill);
  }
}

/** Returns the data of a message on `fave.requests.*.*`, or `undefined` if it is not a lifecycle event. */
function parseLifecycleEvent(message: Msg): RequestState | undefined {
  try {
    return validate('requestState', parseJson('cloudEvent', message.string()).data);
  } catch {
    return undefined;
  }
}
