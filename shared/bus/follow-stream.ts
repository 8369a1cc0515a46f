import { DeliverPolicy, type ConsumerMessages, type JsMsg } from '@nats-io/jetstream';
import pRetry from 'p-retry';
import { PULL, type Bus } from './connection.ts';

/**
 * Reads a stream and goes on as it grows, each message once and in order. The consumer behind it lives on one server, and the
 * library waits for that server to come back; here it is made anew on another, after what was read.
 * @param from Sequence of the first message, from 1.
 * @param subject Only messages on it, which may have wildcards.
 * @param take Must not throw: that would end the connection.
 */
export async function followStream(
  { jetstream, connection }: Pick<Bus, 'jetstream' | 'connection'>,
  { stream, subject, from = 1 }: { readonly stream: string; readonly subject?: string; readonly from?: number },
  take: (message: JsMsg) => void,
): Promise<{ close(): Promise<void> }> {
  const closing = new AbortController();
  const { signal } = closing;
  let next = from;
  let renewing: Promise<void> | undefined;

  const read = async (): Promise<ConsumerMessages> => {
    const consumer = await jetstream.consumers.get(stream, {
      ...(subject !== undefined && { filter_subjects: [subject] }),
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: next,
    });
    const messages = await consumer.consume({
      ...PULL,
      callback: (message) => {
        if (message.seq < next) return; // of a consumer that was given up while the library made it anew
        next = message.seq + 1;
        take(message);
      },
    });
    void renewAt(messages.status(), 'heartbeats_missed');
    return messages;
  };
  const renew = async (): Promise<void> => {
    reading.stop();
    // A server that is gone may be chosen for it until the others notice: asked again, they choose anew.
    reading = await pRetry(read, { retries: Infinity, minTimeout: 250, maxTimeout: 2_000, signal });
  };
  const renewAt = async (statuses: AsyncIterable<{ type: string }>, type: string): Promise<void> => {
    for await (const status of statuses) {
      if (signal.aborted) return;
      if (status.type === type)
        renewing ??= renew()
          .catch(() => undefined) // closed meanwhile
          .finally(() => (renewing = undefined));
    }
  };

  let reading = await read();
  // The library hears no heartbeats from the moment it is disconnected.
  void renewAt(connection.status(), 'reconnect');
  return {
    close: async () => {
      closing.abort(new Error('closed'));
      await renewing;
      await reading.close();
    },
  };
}
