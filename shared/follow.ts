import { DeliverPolicy, type ConsumerMessages, type JsMsg } from '@nats-io/jetstream';
import pRetry from 'p-retry';
import { PULL, type Bus } from './bus.ts';

/**
 * Reads a stream from its beginning and goes on as it grows, each message once and in order. The consumer behind it lives on
 * one server, and the library waits for that server to come back; here it is made anew on another, after what was read.
 */
export async function follow(
  { jetstream }: Pick<Bus, 'jetstream'>,
  stream: string,
  take: (message: JsMsg) => void,
): Promise<{ close(): Promise<void> }> {
  const closing = new AbortController();
  let next = 1;
  const read = async (): Promise<ConsumerMessages> => {
    const from = { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: next };
    return (await jetstream.consumers.get(stream, from)).consume({
      ...PULL,
      callback: (message) => {
        next = message.seq + 1;
        take(message);
      },
    });
  };
  let reading = await read();
  const watch = async (): Promise<void> => {
    const { signal } = closing;
    for (;;) {
      for await (const { type } of reading.status()) if (type === 'heartbeats_missed') break;
      signal.throwIfAborted();
      await reading.close();
      // A server that is gone may be chosen for it until the others notice: asked again, they choose anew.
      reading = await pRetry(read, { retries: Infinity, minTimeout: 250, maxTimeout: 2_000, signal });
    }
  };
  const watching = watch().catch(() => undefined); // closed while it was made anew
  return {
    close: async () => {
      closing.abort();
      await reading.close();
      await watching;
    },
  };
}
