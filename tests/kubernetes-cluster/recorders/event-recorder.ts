import type { ItemEvent } from '../../../schemas/generated/types.ts';
import type { Bus } from '../../../shared/bus/connection.ts';
import { followRequestEvents, nextSequence } from '../../../shared/bus/request-events.ts';
import { waitUntil } from '../cluster/system.ts';

/** Records the events of requests. */
export interface EventRecorder {
  readonly items: readonly (ItemEvent & { readonly t: number })[];
  /** Waits until all requests have ended. @throws Error if one is not `completed` or has a failed item. */
  completed(ids: readonly string[], seconds: number): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts recording. @param now Returns the time of an event, in seconds. @param from Sequence of the first event. Default: events from now on.
 */
export async function recordEvents(bus: Bus, now: () => number, from?: number): Promise<EventRecorder> {
  const items: (ItemEvent & { t: number })[] = [];
  const ends = new Map<string, string>();
  const failures: unknown[] = [];
  const stop = await followRequestEvents(
    bus,
    { from: from ?? (await nextSequence(bus)) },
    {
      onEvent: (event) => {
        if (event.type === 'item') items.push({ ...event.data, t: now() });
        else if (['completed', 'failed', 'rejected'].includes(event.name)) ends.set(event.data.request_id, event.name);
      },
      onError: (error) => failures.push(error),
    },
  );
  return {
    items,
    stop,
    completed: async (ids, seconds) => {
      await waitUntil(`${ids.join(', ')} ended`, seconds, () => {
        if (failures.length > 0) throw failures[0];
        return Promise.resolve(ids.every((id) => ends.has(id)) || undefined);
      });
      const bad = ids.filter((id) => ends.get(id) !== 'completed');
      const failed = items.filter(({ outcome, request_id }) => outcome === 'failed' && ids.includes(request_id));
      if (bad.length > 0 || failed.length > 0)
        throw new Error(
          `not completed: ${bad.join(', ')} ${failed.map(({ stage, item, error }) => `${stage} ${item}: ${error?.message ?? ''}`).join('; ')}`,
        );
    },
  };
}
