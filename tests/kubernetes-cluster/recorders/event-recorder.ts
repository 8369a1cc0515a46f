import type { ItemEvent } from '../../../schemas/generated/types.ts';
import type { Bus } from '../../../shared/bus/connection.ts';
import { followRequestEvents, nextSequence } from '../../../shared/bus/request-events.ts';
import { until } from '../cluster/system.ts';

/** What was told about requests. */
export interface Watch {
  readonly items: readonly (ItemEvent & { readonly t: number })[];
  /** Waits until all requests have ended. @throws Error when one ends otherwise than `completed`, without errors of items. */
  completed(ids: readonly string[], seconds: number): Promise<void>;
  stop(): Promise<void>;
}

/** @param now Seconds by which events are recorded. @param from Sequence of the first event; what comes from now on, else. */
export async function watch(bus: Bus, now: () => number, from?: number): Promise<Watch> {
  const items: (ItemEvent & { t: number })[] = [];
  const ends = new Map<string, string>();
  const failures: unknown[] = [];
  const stop = await followRequestEvents(bus, undefined, from ?? (await nextSequence(bus)), {
    take: (event) => {
      if (event.what === 'item') items.push({ ...event.data, t: now() });
      else if (['completed', 'failed', 'rejected'].includes(event.name)) ends.set(event.data.request_id, event.name);
    },
    failed: (error) => failures.push(error),
  });
  return {
    items,
    stop,
    completed: async (ids, seconds) => {
      await until(`the end of ${ids.join(', ')}`, seconds, () => {
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
