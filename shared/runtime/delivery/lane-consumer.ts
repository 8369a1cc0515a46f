import { setTimeout as sleep } from 'node:timers/promises';
import type { Msg, Subscription } from 'nats';
import type { Bus } from '../../bus/connection.ts';
import { messageOf } from '../../core/errors.ts';
import type { Logger } from '../../observability/log.ts';
import { toDelivery, type Delivery } from './delivery.ts';

/** Reads the messages of several consumers one at a time. Earlier consumers take precedence. */
export interface LaneConsumer {
  /** Resolves with the next message, or with `undefined` when `signal` aborts. */
  next(signal: AbortSignal): Promise<Delivery | undefined>;
}

/** Expiry of a pull, after which it is repeated (ms). It bounds the delay after a server restart. */
const PULL_EXPIRES_MS = 5_000;

/** Time for which a consumer may be unavailable before it is logged (ms). Most server restarts are shorter. */
const UNAVAILABLE_TIMEOUT_MS = 5_000;

/** Every eighth message comes from a later lane, in turn, so that a busy lane does not starve those after it. */
const LATER_INTERVAL = 8;

/** Returns the lanes in the order of preference for the n-th message, from 0. */
export function orderLanes<T>(lanes: readonly T[], n: number): readonly T[] {
  const turn = (n + 1) / LATER_INTERVAL;
  if (lanes.length === 1 || !Number.isInteger(turn)) return lanes;
  const later = 1 + (turn % (lanes.length - 1));
  return [...lanes.slice(later), ...lanes.slice(0, later)];
}

/**
 * Creates a consumer that pulls one message at a time. It has no pull outstanding while a message is processed, because a pull of a
 * busy worker would take messages that an idle worker could process. The iterators of the client library cannot read two
 * consumers in this way.
 */
export function createLaneConsumer(bus: Bus, stream: string, consumers: readonly string[], log: Logger): LaneConsumer {
  const { connection } = bus;
  const api = (consumer: string): string => `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`;
  let count = 0;
  const unavailable = new Map<string, { readonly since: number; isLogged: boolean }>();

  /** Pulls without waiting. The reply is a message or a status. */
  const pullNow = async (consumer: string): Promise<Msg> => {
    // The shared reply subscription identifies replies by their subject, but a pulled message keeps its original subject.
    const options = { timeout: PULL_EXPIRES_MS, noMux: true, reply: bus.createInbox() };
    try {
      const reply = await connection.request(api(consumer), JSON.stringify({ batch: 1, no_wait: true }), options);
      if (unavailable.get(consumer)?.isLogged)
        log.info({ event: 'consumer:restored', consumer }, `the consumer ${consumer} answers again`);
      unavailable.delete(consumer);
      return reply;
    } catch (error) {
      const now = performance.now();
      const outage = unavailable.get(consumer) ?? { since: now, isLogged: false };
      unavailable.set(consumer, outage);
      if (!outage.isLogged && now - outage.since >= UNAVAILABLE_TIMEOUT_MS) {
        outage.isLogged = true;
        log.warn(
          { event: 'consumer:unavailable', error, consumer },
          `the consumer ${consumer} of ${stream} is unavailable (${messageOf(error)}): if NATS runs, run set-up, which creates it, or check the permissions of the NATS user with fave doctor`,
        );
      }
      throw error;
    }
  };

  /** Returns a message that is pending now. */
  const poll = async (): Promise<Delivery | undefined> => {
    for (const consumer of orderLanes(consumers, count)) {
      const delivery = toDelivery(connection, await pullNow(consumer));
      if (delivery) return delivery;
    }
    return undefined;
  };

  /** Returns the first message of any consumer within {@link PULL_EXPIRES_MS}. */
  const wait = (signal: AbortSignal): Promise<Delivery | undefined> =>
    new Promise((resolve) => {
      // The signal may have aborted during the poll; a listener that is added now would not be called.
      if (signal.aborted) {
        resolve(undefined);
        return;
      }
      const subscriptions: Subscription[] = [];
      let settled = false;
      const settle = (message?: Delivery): void => {
        if (settled) {
          // Two consumers delivered at the same time. Return the second message, so that it does not wait for this item.
          message?.nak();
          return;
        }
        settled = true;
        clearTimeout(timer);
        signal.removeEventListener('abort', cancel);
        // Drain rather than unsubscribe, so that a message in flight arrives and is returned.
        for (const subscription of subscriptions) void subscription.drain().catch(() => undefined);
        resolve(message);
      };
      const cancel = (): void => {
        settle();
      };
      const timer = setTimeout(cancel, PULL_EXPIRES_MS);
      signal.addEventListener('abort', cancel, { once: true });
      for (const consumer of consumers) {
        const inbox = bus.createInbox();
        subscriptions.push(
          connection.subscribe(inbox, {
            callback: (_, message) => {
              const delivery = toDelivery(connection, message);
              if (delivery) settle(delivery);
            },
          }),
        );
        connection.publish(api(consumer), JSON.stringify({ batch: 1, expires: PULL_EXPIRES_MS * 1e6 }), { reply: inbox });
      }
    });

  return {
    async next(signal) {
      while (!signal.aborted) {
        try {
          const message = (await poll()) ?? (await wait(signal));
          if (message) {
            count += 1;
            return message;
          }
        } catch {
          // The client reconnects to a server that is away, and set-up creates a missing consumer.
          await sleep(250, undefined, { signal }).catch(() => undefined);
        }
      }
      return undefined;
    },
  };
}
