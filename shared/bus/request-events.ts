import type { ItemEvent, RequestState } from '../../schemas/generated/types.ts';
import { InvalidDataError } from '../core/errors.ts';
import { parseJson, validate } from '../core/validate.ts';
import type { Bus } from './connection.ts';
import { followStream } from './follow-stream.ts';
import type { StoredMessage } from './read-stream.ts';
import { NO_REQUEST, streams } from './topology.ts';

/** An item event or a lifecycle event of a request. */
export type RequestEvent = (
  | { readonly type: 'item'; readonly data: ItemEvent }
  | { readonly type: 'lifecycle'; readonly name: string; readonly data: RequestState }
) & {
  /** ISO 8601. */
  readonly time: string;
  readonly traceparent?: string | undefined;
};

/**
 * Parses a message of `fave.requests.{request_id}.>`. The permissions of a publisher apply to the subject, so the data must have the
 * same request and stage.
 * @throws InvalidDataError
 */
export function parseRequestEvent({ subject, text }: Pick<StoredMessage, 'subject' | 'text'>): RequestEvent {
  const { time, traceparent, data } = parseJson('cloudEvent', text);
  const [, , requestId = '', name = '', stage] = subject.split('.');
  const event: RequestEvent =
    name === 'stage' && stage !== undefined
      ? { type: 'item', time, traceparent, data: validate('itemEvent', data) }
      : { type: 'lifecycle', name, time, traceparent, data: validate('requestState', data) };
  const isSame = (event.data.request_id || NO_REQUEST) === requestId && (event.type !== 'item' || event.data.stage === stage);
  if (isSame) return event;
  throw new InvalidDataError('invalid-cloud-event', `the event on ${subject} is about another request or stage`);
}

/** Returns the sequence of the next event in `FAVE_REQUESTS`. A caller that reads it before an upload misses no event. */
export async function nextSequence(bus: Bus): Promise<number> {
  return (await bus.manager.streams.info(streams.requests)).state.last_seq + 1;
}

/**
 * Calls `onEvent` for every event of a request, or of all requests, from a sequence on. The stream keeps events, so a lost
 * connection or server loses none. It skips messages that are not events.
 * @param from 1 for all stored events.
 * @param handlers `onError` receives what `onEvent` throws.
 * @returns A function that stops the subscription.
 */
export async function followRequestEvents(
  bus: Bus,
  { requestId = '*', from }: { readonly requestId?: string | undefined; readonly from: number },
  { onEvent, onError }: { readonly onEvent: (event: RequestEvent) => void; readonly onError: (error: unknown) => void },
): Promise<() => Promise<void>> {
  const subject = `fave.requests.${requestId}.>`;
  return followStream(bus, { stream: streams.requests, subject, from }, (message) => {
    try {
      const event = undefinedIfInvalid(() => parseRequestEvent(message));
      if (event) onEvent(event);
    } catch (error) {
      onError(error);
    }
  });
}

/** Returns `undefined` if `parse` throws an InvalidDataError. Any NATS user with the right to publish may cause one. */
export function undefinedIfInvalid<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof InvalidDataError) return undefined;
    throw error;
  }
}
