import type { Msg, NatsConnection } from 'nats';
import type { Acknowledger } from './disposition.ts';

/**
 * A message that a pull consumer delivered. The client library makes such messages only inside its own iterators
 * (see feed.ts for why they do not serve here), so this speaks JetStream's acknowledgement protocol itself:
 * https://docs.nats.io/reference/reference-protocols/nats_api_reference#acknowledging-messages
 */
export interface Delivery extends Acknowledger {
  readonly subject: string;
  readonly data: string;
  /** Deliveries so far, this one included. */
  readonly deliveries: number;
  /** Sequence in the stream. */
  readonly sequence: number;
  /** When the stream stored the message, milliseconds since the epoch. */
  readonly storedAtMs: number;
  /** Tells the server that work goes on. */
  working(): void;
}

/** Milliseconds to wait for the confirmation of an acknowledgement; without one the message comes again, and is skipped. */
const CONFIRMATION = 5_000;

/** Reads a reply to a pull; undefined where it is a status ("no messages", "request timeout") and no message. */
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
    nak: (delay) => {
      connection.publish(reply, delay === undefined ? '-NAK' : `-NAK ${JSON.stringify({ delay: delay * 1e6 })}`);
    },
    term: (reason) => {
      connection.publish(reply, reason ? `+TERM ${reason}` : '+TERM');
    },
    ackAck: () =>
      connection.request(reply, '+ACK', { timeout: CONFIRMATION }).then(
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
