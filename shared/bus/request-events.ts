import type { RequestState, ItemEvent } from '../../schemas/generated/types.ts';
import type { Bus } from './connection.ts';
import { codeOf } from '../core/errors.ts';
import { followStream } from './follow-stream.ts';
import { streams } from './topology.ts';
import { parseJson, validate } from '../core/validate.ts';

/** Something that happened to a request. */
export type RequestEvent =
  | { readonly what: 'item'; readonly time: string; readonly data: ItemEvent }
  | { readonly what: 'lifecycle'; readonly name: string; readonly time: string; readonly data: RequestState };

/** Reads a message of `fave.requests.{request_id}.>`. @throws PermanentError `invalid-…`. */
export function parseRequestEvent(subject: string, text: string): RequestEvent {
  const { time, data } = parseJson('cloudEvent', text);
  const [, , , name = '', stage] = subject.split('.');
  if (name === 'stage' && stage !== undefined) return { what: 'item', time, data: validate('itemEvent', data) };
  return { what: 'lifecycle', name, time, data: validate('requestState', data) };
}

/** Where to begin: sequence of `FAVE_REQUESTS` after what is there now. Ask before the upload, and no event is missed. */
export async function nextSequence(bus: Bus): Promise<number> {
  return (await bus.manager.streams.info(streams.requests)).state.last_seq + 1;
}

/**
 * Calls back for every event of a request, or of all, from a sequence on; JetStream keeps them, so a lost connection or server loses none.
 * @param from 1 for everything that is kept.
 * @param failed Called with what `take` throws, and what reading an event throws unless the event is somebody else's.
 * @returns How to stop.
 */
export async function followRequestEvents(
  bus: Bus,
  requestId: string | undefined,
  from: number,
  { take, failed }: { take: (event: RequestEvent) => void; failed: (error: unknown) => void },
): Promise<() => Promise<void>> {
  const about = { stream: streams.requests, subject: `fave.requests.${requestId ?? '*'}.>`, from };
  const following = await followStream(bus, about, (message) => {
    try {
      const event = undefinedIfInvalid(() => parseRequestEvent(message.subject, message.string()));
      if (event) take(event);
    } catch (error) {
      failed(error); // whoever waits would wait for ever
    }
  });
  return () => following.close();
}

/** Somebody else's message on our subjects is no reason to stop following: anything else is. */
export function undefinedIfInvalid<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (codeOf(error).startsWith('invalid-')) return undefined;
    throw error;
  }
}
