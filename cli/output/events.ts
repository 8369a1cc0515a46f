import type { LandedMessage } from '../../schemas/generated/types.ts';
import type { Bus } from '../../shared/bus/connection.ts';
import { undefinedIfInvalid, type RequestEvent } from '../../shared/bus/request-events.ts';
import { subjects } from '../../shared/bus/topology.ts';
import { parseJson } from '../../shared/core/validate.ts';
import type { Output } from '../context/cli.ts';
import { formatCount, formatDuration } from './format.ts';

/** Calls `take` for each new object of a request. Only for display: messages during a lost connection are missed. */
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

/** Formats an event. @param withId Whether to print the request id. */
export function formatEvent(event: RequestEvent, { style }: Pick<Output, 'style'>, withId: boolean): string[] {
  const time = style('dim', new Date(event.time).toLocaleTimeString('en-GB'));
  const id = withId ? `${style('cyan', event.data.request_id)} ` : '';
  if (event.type === 'item') {
    const { stage, item, outcome, duration_ms, outputs, error } = event.data;
    const objects = outputs.length === 0 ? '' : `, ${formatCount(outputs.length, 'object')}`;
    const line = `${time} ${id}${stage.padEnd(21)} ${item} ${outcome === 'failed' ? style('red', outcome) : outcome} (${formatDuration(duration_ms)}${objects})`;
    return error ? [line, `         ${style('red', error.code)}: ${error.message}`] : [line];
  }
  const { data, name } = event;
  const input = data.input === undefined ? '' : ` ${data.input}`;
  const duration = data.duration_ms === undefined ? '' : ` in ${formatDuration(data.duration_ms)}`;
  const colour = name === 'rejected' || name === 'failed' ? 'red' : name === 'ignored' ? 'yellow' : 'green';
  const line = `${time} ${id}${style(colour, name)}${input}${duration}`;
  return name === 'accepted'
    ? [line]
    : [line, ...(data.errors ?? []).map((error) => `         ${style('red', error.code)}: ${error.message}`)];
}
