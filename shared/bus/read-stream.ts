import { DeliverPolicy, type JsMsg } from '@nats-io/jetstream';
import type { Bus } from './connection.ts';

/** Messages that are read at once. */
const BATCH = 500;

/** Milliseconds after which messages that do not come are taken for removed, if the server does not count them any more. */
const GONE = 1_000;

/** What a stream holds now on a subject, which may have wildcards, oldest first. */
export async function* readStream(bus: Bus, stream: string, subject: string): AsyncGenerator<JsMsg> {
  const consumer = await bus.jetstream.consumers.get(stream, {
    filter_subjects: [subject],
    deliver_policy: DeliverPolicy.All,
  });
  // Counted again after each batch: what is removed before it is read would be waited for.
  for (let left; (left = (await consumer.info()).num_pending) > 0;)
    yield* await consumer.fetch({ max_messages: Math.min(left, BATCH), expires: GONE });
}
