import { DeliverPolicy, type JsMsg } from '@nats-io/jetstream';
import type { Bus } from '../shared/bus.ts';

/** What a stream holds now on a subject, which may have wildcards, oldest first. */
export async function* storedMessages(bus: Bus, stream: string, subject: string): AsyncGenerator<JsMsg> {
  const consumer = await bus.jetstream.consumers.get(stream, {
    filter_subjects: [subject],
    deliver_policy: DeliverPolicy.All,
  });
  if ((await consumer.info()).num_pending === 0) return;
  for await (const message of await consumer.consume()) {
    yield message;
    if (message.info.pending === 0) return;
  }
}
