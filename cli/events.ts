import { DeliverPolicy } from '@nats-io/jetstream';
import type { Landed, Lifecycle, Progress } from '../schemas/generated/types.ts';
import type { Bus } from '../shared/bus.ts';
import { codeOf } from '../shared/errors.ts';
import { streams, subjects } from '../shared/topology.ts';
import { parsed, validated } from '../shared/validate.ts';
import type { Output } from './cli.ts';
import { duration, printable } from './format.ts';

/** Something that happened to a request. */
export type RequestEvent =
  | { readonly what: 'item'; readonly time: string; readonly data: Progress }
  | { readonly what: 'lifecycle'; readonly name: string; readonly time: string; readonly data: Lifecycle };

/** Reads a message of `fave.requests.{request_id}.>`. @throws PermanentError `invalid-…`. */
export function readEvent(subject: string, text: string): RequestEvent {
  const { time, data } = parsed('event', text);
  const [, , , name = '', stage] = subject.split('.');
  if (name === 'stage' && stage !== undefined) return { what: 'item', time, data: validated('progress', data) };
  return { what: 'lifecycle', name, time, data: validated('lifecycle', data) };
}

/** Where to begin: sequence of `FAVE_REQUESTS` after what is there now. Ask before the upload, and no event is missed. */
export async function nextSequence(bus: Bus): Promise<number> {
  return (await bus.manager.streams.info(streams.requests)).state.last_seq + 1;
}

/**
 * Calls back for every event of a request, or of all, from a sequence on; JetStream keeps them, so a lost connection loses none.
 * @param from 1 for everything that is kept.
 * @param failed Called with what `take` throws, and what reading an event throws unless the event is somebody else's.
 * @returns How to stop.
 */
export async function follow(
  bus: Bus,
  requestId: string | undefined,
  from: number,
  { take, failed }: { take: (event: RequestEvent) => void; failed: (error: unknown) => void },
): Promise<() => Promise<void>> {
  const consumer = await bus.jetstream.consumers.get(streams.requests, {
    filter_subjects: [`fave.requests.${requestId ?? '*'}.>`],
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: Math.max(1, from),
  });
  const messages = await consumer.consume({
    callback: (message) => {
      try {
        const event = tolerantly(() => readEvent(message.subject, message.string()));
        if (event) take(event);
      } catch (error) {
        failed(error); // thrown from here it would end the connection, and whoever waits would wait for ever
      }
    },
  });
  return async () => {
    await messages.close();
  };
}

/** Calls back for every object of a request that lands from now on; for the eye only, as a lost connection loses some. */
export function followLanded(bus: Bus, requestId: string, take: (landed: Landed) => void): () => void {
  const subscription = bus.connection.subscribe(subjects.landed('*', '*', requestId), {
    callback: (error, message) => {
      const landed = error ? undefined : tolerantly(() => parsed('landed', message.string()));
      if (landed) take(landed);
    },
  });
  return () => {
    subscription.unsubscribe();
  };
}

/** Somebody else's message on our subjects is no reason to stop following: anything else is. */
function tolerantly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (codeOf(error).startsWith('invalid-')) return undefined;
    throw error;
  }
}

/** An event as a line for people. @param withId Whether lines are of several requests. */
export function describeEvent(event: RequestEvent, { style }: Pick<Output, 'style'>, withId: boolean): string[] {
  const time = style('dim', new Date(event.time).toLocaleTimeString('en-GB'));
  const id = withId ? `${style('cyan', event.data.request_id)} ` : '';
  if (event.what === 'item') {
    const { stage, item, outcome, duration_ms, outputs, error } = event.data;
    const made = outputs.length === 0 ? '' : `, ${outputs.length} ${outputs.length === 1 ? 'object' : 'objects'}`;
    const line = `${time} ${id}${stage.padEnd(21)} ${item} ${outcome === 'failed' ? style('red', outcome) : outcome} (${duration(duration_ms)}${made})`;
    return error ? [line, `         ${style('red', error.code)}: ${printable(error.message)}`] : [line];
  }
  const { data, name } = event;
  const input = data.input === undefined ? '' : ` ${printable(data.input)}`;
  const took = data.duration_ms === undefined ? '' : ` in ${duration(data.duration_ms)}`;
  const bad = name === 'rejected' || name === 'failed';
  const line = `${time} ${id}${style(bad ? 'red' : 'green', name)}${input}${took}`;
  return name === 'accepted'
    ? [line]
    : [line, ...(data.errors ?? []).map((error) => `         ${style('red', error.code)}: ${printable(error.message)}`)];
}
