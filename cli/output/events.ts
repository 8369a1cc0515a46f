import type { LandedMessage } from '../../schemas/generated/types.ts';
import type { Bus } from '../../shared/bus/connection.ts';
import { undefinedIfInvalid, type RequestEvent } from '../../shared/bus/request-events.ts';
import { subjects } from '../../shared/bus/topology.ts';
import { parseJson } from '../../shared/core/validate.ts';
import type { Output } from '../context/cli.ts';
import { duration, escapeControlCharacters } from './format.ts';

/** Calls back for every object of a request that lands from now on; for the eye only, as a lost connection loses some. */
export function followLanded(bus: Bus, requestId: string, take: (landed: LandedMessage) => void): () => void {
  const subscription = bus.connection.subscribe(subjects.landed('*', '*', requestId), {
    callback: (error, message) => {
      const landed = error ? undefined : undefinedIfInvalid(() => parseJson('landedMessage', message.string()));
      if (landed) take(landed);
    },
  });
  return () => {
    subscription.unsubscribe();
  };
}

/** An event as a line for people. @param withId Whether lines are of several requests. */
export function describeEvent(event: RequestEvent, { style }: Pick<Output, 'style'>, withId: boolean): string[] {
  const time = style('dim', new Date(event.time).toLocaleTimeString('en-GB'));
  const id = withId ? `${style('cyan', event.data.request_id)} ` : '';
  if (event.what === 'item') {
    const { stage, item, outcome, duration_ms, outputs, error } = event.data;
    const made = outputs.length === 0 ? '' : `, ${outputs.length} ${outputs.length === 1 ? 'object' : 'objects'}`;
    const line = `${time} ${id}${stage.padEnd(21)} ${item} ${outcome === 'failed' ? style('red', outcome) : outcome} (${duration(duration_ms)}${made})`;
    return error ? [line, `         ${style('red', error.code)}: ${escapeControlCharacters(error.message)}`] : [line];
  }
  const { data, name } = event;
  const input = data.input === undefined ? '' : ` ${escapeControlCharacters(data.input)}`;
  const took = data.duration_ms === undefined ? '' : ` in ${duration(data.duration_ms)}`;
  const bad = name === 'rejected' || name === 'failed';
  const line = `${time} ${id}${style(bad ? 'red' : 'green', name)}${input}${took}`;
  return name === 'accepted'
    ? [line]
    : [
        line,
        ...(data.errors ?? []).map((error) => `         ${style('red', error.code)}: ${escapeControlCharacters(error.message)}`),
      ];
}
