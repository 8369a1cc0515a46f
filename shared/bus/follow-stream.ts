import { DeliverPolicy, type ConsumerMessages, type JsMsg } from '@nats-io/jetstream';
import pRetry from 'p-retry';
import { PULL, type Bus } from './connection.ts';

/**
 * Reads a stream and continues as it grows. Each message is read once and in order, across the loss of a connection or a server:
 * the ordered consumer lives on one server, so it is created again on another after missed heartbeats or a reconnect.
 * @param from Sequence of the first message, from 1.
 * @param subject Filter, which may contain wildcards.
 * @param onMessage Must not throw, because an error would close the connection.
 */
export async function followStream(
  { jetstream, connection }: Pick<Bus, 'jetstream' | 'connection'>,
  { stream, subject, from = 1 }: { readonly stream: string; readonly subject?: string; readonly from?: number },
  onMessage: (message: JsMsg) => void,
): Promise<{ close(): Promise<void> }> {
  const closing = new AbortController();
  const { signal } = closing;
  let next = from;
  let recreating: Promise<void> | undefined;

  const createReader = async (): Promise<ConsumerMessages> => {
    const consumer = await jetstream.consumers.get(stream, {
      ...(subject !== undefined && { filter_subjects: [subject] }),
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: next,
    });
    const messages = await consumer.consume({
      ...PULL,
      callback: (message) => {
        if (message.seq < next) return; // from a consumer that was replaced
        next = message.seq + 1;
        onMessage(message);
      },
    });
    void recreateAt(messages.status(), 'heartbeats_missed');
    return messages;
  };
  const recreate = async (): Promise<void> => {
    reader.stop();
    // The cluster may place the consumer on the lost server until the others notice the loss, so the call is retried.
    reader = await pRetry(createReader, { retries: Infinity, minTimeout: 250, maxTimeout: 2_000, signal });
  };
  const recreateAt = async (statuses: AsyncIterable<{ type: string }>, type: string): Promise<void> => {
    for await (const status of statuses) {
      if (signal.aborted) return;
      if (status.type === type)
        recreating ??= recreate()
          .catch(() => undefined) // closed
          .finally(() => (recreating = undefined));
    }
  };

  let reader = await createReader();
  // While the connection is lost, the library reports no missed heartbeats.
  void recreateAt(connection.status(), 'reconnect');
  return {
    close: async () => {
      closing.abort(new Error('closed'));
      await recreating;
      await reader.close();
    },
  };
}
