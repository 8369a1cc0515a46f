import { NotFoundError, PermanentError, UnavailableError } from '../../core/errors.ts';
import { MAX_DELIVERIES } from '../../bus/topology.ts';

/** What is to become of an item. */
export type Disposition =
  | { readonly outcome: 'done' }
  | { readonly outcome: 'reused' }
  | { readonly outcome: 'skipped' }
  /** Given back: tried again after `delay` milliseconds. */
  | { readonly outcome: 'retry'; readonly delay: number; readonly error: unknown }
  /** Announced anew and taken off the queue: a server that is away must not use up the item's deliveries. */
  | { readonly outcome: 'requeued'; readonly error: unknown }
  /** Dropped: the request was cancelled. */
  | { readonly outcome: 'cancelled' }
  /** Given back because the process stops; another worker takes it at once. */
  | { readonly outcome: 'released' }
  /** Ended: a dead letter, and the request goes on without it. */
  | { readonly outcome: 'failed'; readonly error: unknown };

/** Seconds before the next delivery, by deliveries so far. They add up to more than ten minutes: an outage must not end in dead letters. */
const DELAYS = [1, 2, 5, 10, 30, 60, 120, 180, 240];

/** Deliveries in which an object must be missing, some eight seconds in all, to count as gone. */
const MISSED = 4;

/** The one place that decides what a failed attempt means. @param factor Of the delays. */
export function dispositionOf(
  error: unknown,
  { deliveries, stopping, cancelled, factor = 1 }: { deliveries: number; stopping: boolean; cancelled: boolean; factor?: number },
): Disposition {
  if (cancelled) return { outcome: 'cancelled' };
  if (stopping) return { outcome: 'released' };
  if (error instanceof UnavailableError && deliveries >= MAX_DELIVERIES) return { outcome: 'requeued', error };
  const doubted = error instanceof NotFoundError && deliveries < MISSED;
  if ((error instanceof PermanentError && !doubted) || deliveries >= MAX_DELIVERIES) return { outcome: 'failed', error };
  return { outcome: 'retry', delay: 1_000 * factor * (DELAYS[deliveries - 1] ?? 240), error };
}

/** What a message can be told, once. */
export interface Acknowledger {
  ackAck(): Promise<boolean>;
  nak(delay?: number): void;
  term(reason?: string): void;
}

/** The one place that acknowledges. Resolves when the server has confirmed, where a confirmation matters. */
export async function settle(message: Acknowledger, outcome: Disposition, reason = ''): Promise<void> {
  switch (outcome.outcome) {
    case 'done':
    case 'reused':
    case 'skipped':
    case 'requeued':
      await message.ackAck();
      return;
    case 'retry':
      message.nak(outcome.delay);
      return;
    case 'released':
      message.nak();
      return;
    case 'cancelled':
    case 'failed':
      message.term(reason);
  }
}
