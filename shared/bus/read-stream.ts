import { DeliverPolicy, type JsMsg } from '@nats-io/jetstream';
import type { Bus } from './connection.ts';

/** Messages per fetch. */
const BATCH_SIZE = 500;

/** Timeout of a fetch (ms). A message that was removed after the count does not arrive. */
const FETCH_TIMEOUT_MS = 1_000;

/** Yields the messages that a stream holds now, oldest first. @param subject Filter, which may contain wildcards. */
export async function* readStream(bus: Bus, stream: string, subject: string): AsyncGenerator<JsMsg> {
  const consumer = await bus.jetstream.consumers.get(stream, {
    filter_subjects: [subject],
    deliver_policy: DeliverPolicy.All,
  });
  // Counted again after each batch, so that the loop does not wait for messages that were removed.
  for (let left; (left = (await consumer.info()).num_pending) > 0;)
    yield* await consumer.fetch({ max_messages: Math.min(left, BATCH_SIZE), expires: FETCH_TIMEOUT_MS });
}
