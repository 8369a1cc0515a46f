import { randomUUID } from 'node:crypto';
import type { Bus } from '../../shared/bus/connection.ts';
import { PermanentError } from '../../shared/core/errors.ts';
import { canaryKey } from '../../shared/pipeline/keys.ts';
import type { Store } from '../../shared/store/store.ts';
import { subjects } from '../../shared/bus/topology.ts';
import { kinds } from '../../schemas/kinds.ts';

/** The parts of the way of an event, and why each may be dead. */
const parts = {
  fast: 'the fast target',
  durable: 'the durable target',
  relay: 'the relay',
} as const;

type Part = keyof typeof parts;

export interface CanaryOptions {
  readonly store: Store;
  readonly bus: Bus;
  /** Milliseconds. */
  readonly deadline: number;
  /** Whether a relay runs, so that its announcement is waited for as well. */
  readonly relay: boolean;
}

/**
 * Puts a canary object and waits for its event on both raw subjects, and on the landed one. One target that cannot be built
 * silently disables all notifications, and nothing else would show it: uploads succeed and nothing happens.
 * @returns Milliseconds until each part had sung.
 * @throws PermanentError `notifications-lost` that says which part of the way is silent and why that may be.
 */
export async function checkNotifications({ store, bus, deadline, relay }: CanaryOptions): Promise<Partial<Record<Part, number>>> {
  const requestId = `canary-${randomUUID()}`;
  const key = canaryKey(requestId);
  const heard: Partial<Record<Part, number>> = {};
  const wanted: Part[] = relay ? ['fast', 'durable', 'relay'] : ['fast', 'durable'];
  const { connection } = bus;
  const { promise, resolve } = withResolvers();
  const begun = performance.now();
  const hear = (part: Part, mark: string, subject: string) =>
    connection.subscribe(subject, {
      callback: (_error, message) => {
        if (!message.string().includes(mark)) return;
        heard[part] ??= Math.round(performance.now() - begun);
        if (wanted.every((each) => heard[each] !== undefined)) resolve();
      },
    });
  const subscriptions = [
    hear('fast', requestId, subjects.rawFast),
    hear('durable', requestId, subjects.rawDurable),
    hear('relay', requestId, subjects.landed(kinds.canary.name, '*', requestId)),
  ];
  await connection.flush(); // the server must know the subscriptions before the event comes
  const timer = setTimeout(resolve, deadline);
  try {
    await store.put(key, `${requestId}\n`, { headers: { 'content-type': 'text/plain' } });
    await promise;
  } finally {
    clearTimeout(timer);
    for (const subscription of subscriptions) subscription.unsubscribe();
    await store.remove(key).catch(() => undefined); // a few bytes that are left are no reason to fail
  }
  const silent = wanted.filter((part) => heard[part] === undefined);
  if (silent.length > 0) throw new PermanentError('notifications-lost', explainMissingNotifications(silent, deadline));
  return heard;
}

/** What a silence means. */
export function explainMissingNotifications(silent: readonly Part[], deadline: number): string {
  const what = `a canary object was put into the bucket and its event did not come within ${deadline / 1000} s from ${silent.map((part) => parts[part]).join(', ')}`;
  const likely =
    silent.includes('fast') && silent.includes('durable')
      ? 'MinIO sends nothing: its queue directory may not be writable (which disables every target), its NATS user or password may be wrong, or the bucket has no notification rules; see minio.log'
      : silent.includes('fast')
        ? 'only the queued events arrive: MinIO could not publish at once; see minio.log'
        : silent.includes('durable')
          ? 'events would be lost while NATS is away: the queue may be full or blocked by an event that NATS refuses; see minio.log'
          : 'MinIO’s events reach NATS and nobody announces them: the relay is not running or cannot publish; see relay.log';
  return `${what}. Likely: ${likely}`;
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
