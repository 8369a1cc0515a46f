import { AckPolicy, type ConsumerInfo } from '@nats-io/jetstream';
import { onTestFinished } from 'vitest';
import type { Bus } from '../../../shared/bus/connection.ts';
import { uniqueId } from '../stack.ts';

/** A separate stream with one consumer per lane, which is removed at the end of the test. */
export interface Queue {
  readonly stream: string;
  readonly lanes: readonly string[];
  /** Publishes numbers, one message each. */
  put(lane: string, ...values: number[]): Promise<void>;
  info(lane: string): Promise<ConsumerInfo>;
  subject(lane: string): string;
}

/** Creates a stream. @param more Settings of the stream. */
export async function queue(
  bus: Bus,
  lanes: readonly string[],
  { ackWaitSeconds = 30, ...more }: { ackWaitSeconds?: number; max_msgs?: number; max_msg_size?: number; discard?: 'new' } = {},
): Promise<Queue> {
  const stream = uniqueId('queue');
  const subject = (lane: string): string => `test.${stream}.${lane}`;
  await bus.manager.streams.add({ name: stream, subjects: [subject('*')], ...more });
  onTestFinished(async () => void (await bus.manager.streams.delete(stream)));
  for (const lane of lanes) {
    await bus.manager.consumers.add(stream, {
      durable_name: lane,
      filter_subject: subject(lane),
      ack_policy: AckPolicy.Explicit,
      ack_wait: ackWaitSeconds * 1e9,
    });
  }
  return {
    stream,
    lanes,
    subject,
    put: async (lane, ...values) => {
      for (const value of values) await bus.publish(subject(lane), { value }, {});
    },
    info: (lane) => bus.manager.consumers.info(stream, lane),
  };
}

/** Returns the number in a message of {@link Queue.put}. */
export function valueOf(delivery: { data: string } | undefined): number | undefined {
  return delivery && (JSON.parse(delivery.data) as { value: number }).value;
}
