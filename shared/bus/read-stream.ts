import type { Msg } from 'nats';
import { UnavailableError } from '../core/errors.ts';
import type { Bus } from './connection.ts';

/** Messages per request to the server. */
const BATCH_SIZE = 500;

/** Timeout of a batch (ms). */
const TIMEOUT_MS = 5_000;

/** Selects messages of a stream. */
export interface StreamSelection {
  readonly stream: string;
  /** Filter of subjects, which may contain wildcards. */
  readonly subject: string;
  /** Sequence of the first message, from 1. */
  readonly from?: number | undefined;
}

/** A message of a stream. */
export interface StoredMessage {
  readonly subject: string;
  readonly sequence: number;
  /** Time at which the stream stored the message (ms since the epoch). */
  readonly storedAtMs: number;
  readonly text: string;
}

/**
 * Yields the messages that a stream holds now, oldest first. It reads the stream without a consumer: a client with the right to
 * create consumers could also take messages from those of the services.
 * @throws UnavailableError `bus-unavailable` if no server answers.
 */
export async function* readStream(bus: Pick<Bus, 'connection'>, selection: StreamSelection): AsyncGenerator<StoredMessage> {
  const { stream, subject, from = 1 } = selection;
  for (let next = from, hasMore = true; hasMore;) {
    let end: Msg | undefined;
    for await (const message of await requestBatch(bus, stream, { seq: next, next_by_subj: subject, batch: BATCH_SIZE })) {
      const stored = parseStored(message);
      if (!stored) end = message;
      else {
        next = stored.sequence + 1;
        yield stored;
      }
    }
    const pending = end?.headers?.get('Nats-Num-Pending');
    const isEmpty = end?.headers?.code === 404;
    if (end && !isEmpty && !pending) throw unavailable(`it answered "${end.headers?.description ?? ''}"`);
    // Without an end, the batch was cut by a message without a body.
    hasMore = !isEmpty && pending !== '0';
  }
}

/** Requests messages from the server that stores the stream. The last message of a batch has no body. */
async function requestBatch(
  { connection }: Pick<Bus, 'connection'>,
  stream: string,
  request: object,
): Promise<AsyncIterable<Msg>> {
  const messages = await connection.requestMany(`$JS.API.DIRECT.GET.${stream}`, JSON.stringify(request), {
    strategy: 'sentinel',
    maxWait: TIMEOUT_MS,
  });
  return withEnd(messages);
}

/** Throws if a batch has no end, because the library ends the iteration silently at the timeout. */
async function* withEnd(messages: AsyncIterable<Msg>): AsyncGenerator<Msg> {
  let last: Msg | undefined;
  try {
    for await (last of messages) yield last;
  } catch (cause) {
    throw unavailable('no server answers', cause);
  }
  if (!last || last.data.length > 0) throw unavailable(`it sent no end of the batch within ${TIMEOUT_MS / 1_000} s`);
}

/** Parses a stored message; returns `undefined` for the end of a batch. */
function parseStored({ headers, data }: Msg): StoredMessage | undefined {
  const sequence = Number(headers?.get('Nats-Sequence'));
  if (!headers || headers.code !== 0 || sequence === 0) return undefined;
  return {
    subject: headers.get('Nats-Subject'),
    sequence,
    storedAtMs: Date.parse(headers.get('Nats-Time-Stamp')),
    text: new TextDecoder().decode(data),
  };
}

function unavailable(reason: string, cause?: unknown): UnavailableError {
  return new UnavailableError('bus-unavailable', `the stream cannot be read: ${reason}`, { cause });
}
