import { createHash } from 'node:crypto';
import type { PubAck } from '@nats-io/jetstream';
import type { CloudEvent, RequestState, ItemEvent } from '../../schemas/generated/types.ts';
import type { Bus, PublishOptions } from './connection.ts';
import { NO_REQUEST, subjects } from './topology.ts';

/** What happens to a request, as the last part of `fave.requests.{request_id}.{event}` and of the CloudEvents type. */
export type LifecycleEventName = 'accepted' | 'rejected' | 'completed' | 'failed' | 'cancelled' | 'redriven';

/** What ends a run. */
export const TERMINAL_EVENTS = ['completed', 'failed', 'cancelled'] as const satisfies readonly LifecycleEventName[];

/** Whether an event of that name ends a run. */
export const isTerminalEvent = (name: string): boolean => TERMINAL_EVENTS.some((end) => end === name);

/** Wraps data as a CloudEvent 1.0; equal `id`s are the same event, however often it is sent. */
export function cloudEvent(
  about: { id: string; source: string; type: string; subject: string; traceparent?: string | undefined },
  data: object,
): CloudEvent {
  const { traceparent, ...rest } = about;
  return {
    specversion: '1.0',
    ...rest,
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    ...(traceparent !== undefined && { traceparent }),
    data: data as CloudEvent['data'],
  };
}

/** Says that an item is settled. Done and skipped are one event: a redelivery of what is done says nothing new. Each message fails for itself. */
export async function publishItemEvent(
  bus: Bus,
  source: string,
  progress: ItemEvent,
  more: { signal?: AbortSignal; traceparent?: string | undefined } = {},
): Promise<void> {
  const { request_id, run, stage, item, outcome, sequence = '' } = progress;
  const id = eventId(request_id, run, stage, item, ...(outcome === 'failed' ? ['failed', sequence] : ['settled']));
  const event = cloudEvent(
    { id, source, type: `fave.stage.${outcome}`, subject: request_id, traceparent: more.traceparent },
    progress,
  );
  await bus.publish(subjects.stage(request_id, stage), event, { msgID: id, ...more });
}

/**
 * Says what became of a request.
 * @param distinct Makes events of the same name and run different ones: what exactly was rejected.
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
