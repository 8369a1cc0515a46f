/** Outcome of an attempt. The first four settle the item; after `requeued`, `retry` and `released` it is delivered again. */
export type Outcome = 'done' | 'reused' | 'skipped' | 'failed' | 'cancelled' | 'requeued' | 'retry' | 'released';

/** Acknowledgement of a delivery, in the terms of JetStream. */
export type Disposition =
  | { readonly type: 'ack' }
  /** Redelivered after the delay; immediately without one. */
  | { readonly type: 'nak'; readonly delayMs?: number }
  | { readonly type: 'term' };

/**
 * Delay before the next delivery in seconds, by the number of deliveries so far. The sum exceeds ten minutes, so an outage of
 * that length creates no dead letters.
 */
const RETRY_DELAYS_SECONDS = [1, 2, 5, 10, 30, 60, 120, 180, 240];

/** Returns how a delivery is acknowledged. @param delayFactor Multiplies the retry delays. */
export function dispositionOf(
  { outcome }: { readonly outcome: Outcome },
  { deliveries }: { readonly deliveries: number },
  delayFactor = 1,
): Disposition {
  switch (outcome) {
    case 'done':
    case 'reused':
    case 'skipped':
    case 'requeued': // The landed message was published again, so an outage does not use up the item's deliveries.
      return { type: 'ack' };
    case 'retry':
      return { type: 'nak', delayMs: 1_000 * delayFactor * (RETRY_DELAYS_SECONDS[deliveries - 1] ?? 240) };
    case 'released':
      return { type: 'nak' };
    case 'cancelled':
    case 'failed':
      return { type: 'term' };
  }
}

/** Acknowledgements that a delivery accepts. Only the first takes effect. */
export interface Acknowledger {
  ackAck(): Promise<boolean>;
  nak(delayMs?: number): void;
  term(reason?: string): void;
}

/** Acknowledges a delivery. Resolves after the server's confirmation if the disposition is `ack`. */
export async function settle(delivery: Acknowledger, disposition: Disposition): Promise<void> {
  if (disposition.type === 'ack') await delivery.ackAck();
  else if (disposition.type === 'nak') delivery.nak(disposition.delayMs);
  else delivery.term();
}
