import type { ItemError } from '../../../schemas/generated/types.ts';
import { MAX_DELIVERIES } from '../../bus/topology.ts';
import { NotFoundError, PermanentError, UnavailableError } from '../../core/errors.ts';
import type { Attempt } from './attempt.ts';
import { CancelledError } from './cancellations.ts';
import { RequestRemovedError } from '../request-cache.ts';
import { toItemError } from './item-event.ts';

/** Result of an attempt. It determines the recorded effects and the acknowledgement of the delivery. */
export type AttemptResult =
  /** The stage ran. `memoHash`: the hash under which its outputs are recorded for other requests. */
  | { readonly outcome: 'done'; readonly memoHash?: string | undefined }
  /** The outputs of another request were copied. */
  | { readonly outcome: 'reused' }
  /** A valid receipt exists; its outputs were announced again. */
  | { readonly outcome: 'skipped' }
  /** The item failed for good. The request continues without it. `hasReceipt`: an earlier delivery wrote the receipt. */
  | { readonly outcome: 'failed'; readonly error: ItemError; readonly hasReceipt?: boolean }
  | { readonly outcome: UnsettledOutcome; readonly error: unknown };

/**
 * `cancelled`: dropped. `released`: returned because the process stops; another worker receives it immediately. `requeued`:
 * announced again, because a server was away until the last delivery. `retry`: redelivered after a delay.
 */
export type UnsettledOutcome = 'cancelled' | 'released' | 'requeued' | 'retry';

/** Deliveries after which a missing object counts as deleted; they take about eight seconds. */
export const MISSING_DELIVERIES = 4;

/** Returns the outcome of an attempt that threw `error`. */
export function classifyError(
  error: unknown,
  { deliveries, stopping, cancelled }: { readonly deliveries: number; readonly stopping: boolean; readonly cancelled: boolean },
): UnsettledOutcome | 'failed' {
  if (cancelled) return 'cancelled';
  if (stopping) return 'released';
  if (error instanceof UnavailableError && deliveries >= MAX_DELIVERIES) return 'requeued';
  const mayReappear = error instanceof NotFoundError && deliveries < MISSING_DELIVERIES;
  if (error instanceof RequestRemovedError && !mayReappear) return 'cancelled';
  const isPermanent = error instanceof PermanentError && !mayReappear;
  return isPermanent || deliveries >= MAX_DELIVERIES ? 'failed' : 'retry';
}

export function toErrorResult(error: unknown, { delivery, abort, landed }: Attempt, killSignal: AbortSignal): AttemptResult {
  const outcome = classifyError(error, {
    deliveries: delivery.deliveries,
    stopping: killSignal.aborted,
    cancelled: [error, abort.signal.reason].some((each) => each instanceof CancelledError),
  });
  return outcome === 'failed' ? { outcome, error: toItemError(error, landed) } : { outcome, error };
}
