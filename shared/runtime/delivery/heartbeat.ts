import type { Delivery } from './delivery.ts';

/**
 * Sends heartbeats for a delivery while `use` runs. A timer sends them, so neither a long tool run nor a slow store makes the
 * server redeliver the item to another worker.
 */
export async function withHeartbeat<T>(delivery: Delivery, ackWaitSeconds: number, use: () => Promise<T>): Promise<T> {
  const timer = setInterval(
    () => {
      delivery.working();
    },
    (ackWaitSeconds * 1_000) / 3,
  );
  try {
    return await use();
  } finally {
    clearInterval(timer);
  }
}
