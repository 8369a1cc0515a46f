import { setTimeout as sleep } from 'node:timers/promises';
import { createInbox, type Msg, type Subscription } from 'nats';
import type { Bus } from '../../bus/connection.ts';
import { messageOf } from '../../core/errors.ts';
import type { Logger } from '../../observability/log.ts';
import { toDelivery, type Delivery } from './delivery.ts';

/** Messages of several consumers, one at a time, those of the first consumer before those of the next. */
export interface LaneConsumer {
  /** Waits for the next message; undefined when `signal` aborts. */
  next(signal: AbortSignal): Promise<Delivery | undefined>;
}

/** Milliseconds after which an unanswered pull is made again: it bounds what a restart of the server costs. */
const PULL_EXPIRES = 5_000;

/** Milliseconds that a consumer may fail to answer before that is told: most restarts of the server are shorter. */
const PATIENCE = 5_000;

/** Every so many messages the order of preference is reversed, so that a steady first lane cannot starve the rest. */
const TURN = 8;

/**
 * Pulls one message at a time and has no pull outstanding while a message is worked on: a pull that waits at a busy
 * worker would take messages that an idle one could have. The client library's own iterators cannot watch two consumers so.
 */
export function createLaneConsumer(bus: Bus, stream: string, consumers: readonly string[], log: Logger): LaneConsumer {
  const { connection } = bus;
  const api = (consumer: string): string => `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`;
  let taken = 0;
  /** Consumers that do not answer: since when, and whether that was told. */
  const silent = new Map<string, { readonly since: number; told: boolean }>();

  /** Asks a consumer for what is there now. */
  const ask = async (consumer: string): Promise<Msg> => {
    // A subscription of its own: the shared one tells replies apart by their subject, and a pulled message keeps its own.
    const options = { timeout: PULL_EXPIRES, noMux: true, reply: createInbox() };
    try {
      const reply = await connection.request(api(consumer), JSON.stringify({ batch: 1, no_wait: true }), options);
      if (silent.get(consumer)?.told)
        log.info({ event: 'consumer:restored', consumer }, `the consumer ${consumer} answers again`);
      silent.delete(consumer);
      return reply;
    } catch (error) {
      const now = performance.now();
      const silence = silent.get(consumer) ?? { since: now, told: false };
      silent.set(consumer, silence);
      if (!silence.told && now - silence.since >= PATIENCE) {
        silence.told = true;
        log.warn(
          { event: 'consumer:unavailable', error, consumer },
          `no work comes from the consumer ${consumer} of ${stream} (${messageOf(error)}): where NATS runs, run set-up, which makes it, or look into this user’s rights; fave doctor names what is missing`,
        );
      }
      throw error;
    }
  };

  /** What is there now. */
  const poll = async (): Promise<Delivery | undefined> => {
    const order = consumers.length > 1 && taken % TURN === TURN - 1 ? consumers.toReversed() : consumers;
    for (const consumer of order) {
      const delivery = toDelivery(connection, await ask(consumer));
      if (delivery) return delivery;
    }
    return undefined;
  };

  /** What comes within {@link PULL_EXPIRES}, on any consumer. */
  const wait = (signal: AbortSignal): Promise<Delivery | undefined> =>
    new Promise((resolve) => {
      // It may have aborted during the poll, and an aborted signal says nothing to whoever begins to listen.
      if (signal.aborted) {
        resolve(undefined);
        return;
      }
      const subscriptions: Subscription[] = [];
      let settled = false;
      const settle = (message?: Delivery): void => {
        if (settled) {
          // Two consumers answered at once: give the second message back rather than keep it waiting.
          message?.nak();
          return;
        }
        settled = true;
        clearTimeout(timer);
        signal.removeEventListener('abort', cancel);
        // Draining, not unsubscribing: a message that is on its way arrives and is given back.
        for (const subscription of subscriptions) void subscription.drain().catch(() => undefined);
        resolve(message);
      };
      const cancel = (): void => {
        settle();
      };
      const timer = setTimeout(cancel, PULL_EXPIRES);
      signal.addEventListener('abort', cancel, { once: true });
      for (const consumer of consumers) {
        const inbox = createInbox();
        subscriptions.push(
          connection.subscribe(inbox, {
            callback: (_, message) => {
              const delivery = toDelivery(connection, message);
              if (delivery) settle(delivery);
            },
          }),
        );
        connection.publish(api(consumer), JSON.stringify({ batch: 1, expires: PULL_EXPIRES * 1e6 }), { reply: inbox });
      }
    });

  return {
    async next(signal) {
      while (!signal.aborted) {
        try {
          const message = (await poll()) ?? (await wait(signal));
          if (message) {
            taken += 1;
            return message;
          }
        } catch {
          // The server is away, and the connection comes back by itself; or the consumer is missing, and set-up makes it.
          await sleep(250, undefined, { signal }).catch(() => undefined);
        }
      }
      return undefined;
    },
  };
}
