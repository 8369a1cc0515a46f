import { randomUUID } from 'node:crypto';
import type { Bus } from '../../shared/bus/connection.ts';
import { PermanentError } from '../../shared/core/errors.ts';
import { canaryKey } from '../../shared/pipeline/keys.ts';
import type { Store } from '../../shared/store/store.ts';
import { subjects } from '../../shared/bus/topology.ts';
import { kinds } from '../../schemas/kinds.ts';

/** Parts of the notification path. */
const parts = {
  fast: 'the fast target',
  durable: 'the durable target',
  relay: 'the relay',
} as const;

type Part = keyof typeof parts;

export interface NotificationCheckOptions {
  readonly store: Store;
  readonly bus: Bus;
  /** Milliseconds. */
  readonly timeoutMs: number;
  /** Whether a relay is running, so that its landed message is expected as well. */
  readonly relay: boolean;
}

/**
 * Writes a canary object and waits for its notification on both raw subjects and for its landed message. A single target that
 * cannot be built disables all notifications in MinIO without an error: uploads would succeed and start nothing.
 * @returns Time until each part had reported the object, in milliseconds.
 * @throws PermanentError `notifications-lost` with the parts that did not report it and the likely cause.
 */
export async function checkNotifications({
  store,
  bus,
  timeoutMs,
  relay,
}: NotificationCheckOptions): Promise<Partial<Record<Part, number>>> {
  const requestId = `canary-${randomUUID()}`;
  const key = canaryKey(requestId);
  const received: Partial<Record<Part, number>> = {};
  const expected: Part[] = relay ? ['fast', 'durable', 'relay'] : ['fast', 'durable'];
  const { connection } = bus;
  const { promise, resolve } = Promise.withResolvers();
  const startTime = performance.now();
  const subscribe = (part: Part, subject: string) =>
    connection.subscribe(subject, {
      callback: (_error, message) => {
        if (!message.string().includes(requestId)) return;
        received[part] ??= Math.round(performance.now() - startTime);
        if (expected.every((each) => received[each] !== undefined)) resolve(undefined);
      },
    });
  const subscriptions = [
    subscribe('fast', subjects.rawFast),
    subscribe('durable', subjects.rawDurable),
    subscribe('relay', subjects.landed(kinds.canary.name, '*', requestId)),
  ];
  await connection.flush(); // the server must have the subscriptions before the notification arrives
  const timer = setTimeout(resolve, timeoutMs);
  try {
    await store.put(key, `${requestId}\n`, { headers: { 'content-type': 'text/plain' } });
    await promise;
  } finally {
    clearTimeout(timer);
    for (const subscription of subscriptions) subscription.unsubscribe();
    await store.remove(key).catch(() => undefined); // a remaining canary has no effect
  }
  const missing = expected.filter((part) => received[part] === undefined);
  if (missing.length > 0) throw new PermanentError('notifications-lost', explainMissingNotifications(missing, timeoutMs));
  return received;
}

/** Returns the likely cause of missing notifications, as an error message. */
export function explainMissingNotifications(missing: readonly Part[], timeoutMs: number): string {
  const names = missing.map((part) => parts[part]).join(', ');
  const cause =
    missing.includes('fast') && missing.includes('durable')
      ? 'MinIO publishes no notifications: its queue directory is not writable (which disables every target), its NATS user or password is wrong, or the bucket has no notification rules; see minio.log'
      : missing.includes('fast')
        ? 'only queued notifications arrive: direct publishing by MinIO fails; see minio.log'
        : missing.includes('durable')
          ? 'notifications would be lost while NATS is down: the queue is full, or NATS rejects a queued notification; see minio.log'
          : 'notifications reach NATS but are not announced: the relay is not running or cannot publish; see its log';
  return `the notification of a canary object did not arrive within ${timeoutMs / 1000} s from ${names}. Likely cause: ${cause}`;
}
