import { DeliverPolicy, type ConsumerMessages, type JsMsg } from '@nats-io/jetstream';
import pRetry from 'p-retry';
import { PULL, type Bus } from './bus.ts';

/**
 * Reads a stream from its beginning and goes on as it grows, each message once and in order. The consumer behind it lives on
 * one server, and the library waits for that server to come back; here it is made anew on another, after what was read.
 */
export async function follow(
  { jetstream, connection }: Pick<Bus, 'jetstream' | 'connection'>,
  stream: string,
  take: (message: JsMsg) => void,
): Promise<{ close(): Promise<void> }> {
  const closing = new AbortController();
  const { signal } = closing;
  let next = 1;
  let renewing: Promise<void> | undefined;

  const read = async (): Promise<ConsumerMessages> => {
    const from = { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: next };
    const messages = await (
      await jetstream.consumers.get(stream, from)
    ).consume({
      ...PULL,
      callback: (message) => {
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
