import pRetry from 'p-retry';
import type { Bus } from './connection.ts';
import { readStream, type StoredMessage, type StreamSelection } from './read-stream.ts';
import { storedSubject } from './topology.ts';

/** Interval at which the stream is read without an announcement (ms). Announcements are lost with a connection or a server. */
const POLL_INTERVAL_MS = 2_000;

/** Delay before a message that was announced and not found is read again (ms). The server that answered may lag behind. */
const LAG_DELAY_MS = 20;

/**
 * Reads a stream and continues as it grows. Each message is read once and in order, across the loss of a connection or a server. The
 * stream announces each stored message on the subject of {@link storedSubject}; the messages themselves are read from the stream.
 * The reading ends with the connection as well, so that a forgotten reader does not keep a process alive.
 * @param onMessage Must not throw.
 * @returns A function that ends the reading, after the first read of the stream.
 */
export async function followStream(
  bus: Pick<Bus, 'connection'>,
  { stream, subject, from = 1 }: StreamSelection,
  onMessage: (message: StoredMessage) => void,
): Promise<() => Promise<void>> {
  const closing = new AbortController();
  const { signal } = closing;
  let next = from;
  let announced = 0;
  let wake: () => void = () => undefined;

  const subscription = bus.connection.subscribe(storedSubject(subject), {
    callback: (error, message) => {
      if (!error) announced = Math.max(announced, Number(message.headers?.get('Nats-Sequence')));
      wake();
    },
  });
  const read = (): Promise<void> =>
    pRetry(
      async () => {
        for await (const message of readStream(bus, { stream, subject, from: next })) {
          if (signal.aborted) return;
          next = message.sequence + 1;
          onMessage(message);
        }
      },
      { retries: Infinity, minTimeout: 100, maxTimeout: 2_000, signal },
    );
  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  const follow = async (): Promise<void> => {
    while (!signal.aborted) {
      const before = announced;
      await read();
      if (announced === before) await pause(next <= announced ? LAG_DELAY_MS : POLL_INTERVAL_MS);
    }
  };

  void bus.connection.closed().then(() => {
    closing.abort(new Error('the connection is closed'));
    wake();
  });
  await read();
  const following = follow().catch(() => undefined); // closed
  return async () => {
    subscription.unsubscribe();
    closing.abort(new Error('closed'));
    wake();
    await following;
  };
}
