import { createHash } from 'node:crypto';
import type { PubAck } from '@nats-io/jetstream';
import type { CloudEvent, RequestState, ItemEvent } from '../../schemas/generated/types.ts';
import type { Bus, PublishOptions } from './connection.ts';
import { NO_REQUEST, subjects } from './topology.ts';

/** Name of a lifecycle event: the last token of its subject `fave.requests.{request_id}.{event}` and of its CloudEvents type. */
export type LifecycleEventName = 'accepted' | 'ignored' | 'rejected' | 'completed' | 'failed' | 'cancelled' | 'redriven';

/** Lifecycle events that end a run. */
export const TERMINAL_EVENTS = ['completed', 'failed', 'cancelled'] as const satisfies readonly LifecycleEventName[];

/** Returns whether an event of this name ends a run. */
export const isTerminalEvent = (name: string): boolean => TERMINAL_EVENTS.some((end) => end === name);

/** Returns data as a CloudEvent 1.0. Consumers treat events with the same `id` as one event. */
export function cloudEvent(
  attributes: { id: string; source: string; type: string; subject: string; traceparent?: string | undefined },
  data: object,
): CloudEvent {
  const { traceparent, ...rest } = attributes;
  return {
    specversion: '1.0',
    ...rest,
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    ...(traceparent !== undefined && { traceparent }),
    data: data as CloudEvent['data'],
  };
}

/**
 * Publishes the event of a settled item. All successful outcomes of an item share one event id, so JetStream drops the event of a
 * redelivery. A failure has one event id per landed message.
 */
export async function publishItemEvent(
  bus: Bus,
  source: string,
  data: ItemEvent,
  options: { signal?: AbortSignal; traceparent?: string | undefined } = {},
): Promise<void> {
  const { request_id, run, stage, item, outcome, sequence = '' } = data;
  const id = eventId(request_id, run, stage, item, ...(outcome === 'failed' ? ['failed', sequence] : ['settled']));
  const event = cloudEvent(
    { id, source, type: `fave.stage.${outcome}`, subject: request_id, traceparent: options.traceparent },
    data,
  );
  await bus.publish(subjects.stage(request_id, stage), event, { msgID: id, ...options });
}

/**
 * Publishes a lifecycle event of a request.
 * @param distinct Part of the event id that distinguishes events with the same name and run, such as two rejected objects.
 */
export function publishLifecycle(
  bus: Bus,
  source: string,
  name: LifecycleEventName,
  data: RequestState,
  { traceparent, distinct = '', ...options }: Omit<PublishOptions, 'msgID'> & { distinct?: string } = {},
): Promise<PubAck> {
  const id = eventId(data.request_id, data.run, name, distinct);
  const event = cloudEvent({ id, source, type: `fave.request.${name}`, subject: data.request_id, traceparent }, data);
  return bus.publish(subjects.lifecycle(data.request_id || NO_REQUEST, name), event, { ...options, traceparent, msgID: id });
}

function eventId(...parts: (string | number)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}
