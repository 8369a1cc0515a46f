import type { Msg, NatsConnection } from 'nats';
import type { Acknowledger } from './disposition.ts';

/**
 * A message that a pull consumer delivered. The client library creates such messages only inside its iterators, which
 * lane-consumer.ts cannot use, so this module implements JetStream's acknowledgement protocol:
 * https://docs.nats.io/reference/reference-protocols/nats_api_reference#acknowledging-messages
 */
export interface Delivery extends Acknowledger {
  readonly subject: string;
  readonly data: string;
  /** Number of deliveries, including this one. */
  readonly deliveries: number;
  /** Sequence in the stream. */
  readonly sequence: number;
  /** When the stream stored the message (ms since the epoch). */
  readonly storedAtMs: number;
  /** Sends a heartbeat: the item is still in progress. */
  working(): void;
}

/** Timeout for the confirmation of an acknowledgement (ms). Without one the message is redelivered, and the item is skipped. */
const CONFIRMATION_TIMEOUT_MS = 5_000;

/** Returns the delivery in a reply to a pull, or `undefined` for a status reply ("no messages", "request timeout"). */
export function toDelivery(connection: NatsConnection, message: Msg): Delivery | undefined {
  const { reply } = message;
  if (!reply?.startsWith('$JS.ACK.')) return undefined;
  const [deliveries, sequence, , stored] = positions(reply);
  return {
    subject: message.subject,
    data: message.string(),
    deliveries: Number(deliveries),
    sequence: Number(sequence),
    storedAtMs: Number(stored) / 1e6,
    working: () => {
      connection.publish(reply, '+WPI');
    },
    nak: (delayMs) => {
      connection.publish(reply, delayMs === undefined ? '-NAK' : `-NAK ${JSON.stringify({ delay: delayMs * 1e6 })}`);
    },
    term: (reason) => {
      connection.publish(reply, reason ? `+TERM ${reason}` : '+TERM');
    },
    ackAck: () =>
      connection.request(reply, '+ACK', { timeout: CONFIRMATION_TIMEOUT_MS }).then(
        () => true,
        () => false,
      ),
  };
}

/** `$JS.ACK.[domain.account.]stream.consumer.{deliveries}.{stream sequence}.{consumer sequence}.{time ns}.{pending}[.random]` */
function positions(reply: string): string[] {
  const tokens = reply.split('.');
  return tokens.slice(tokens.length > 9 ? 6 : 4);
}
