import type { Graph } from '../../../shared/pipeline/graph.ts';
import { createMetricFactory, outcomes, type Metrics } from '../../../shared/runtime/service/metrics.ts';
import type { Effect } from '../apply-event.ts';

type CountItem = Extract<Effect, { type: 'count-item' }>;

/** Counts items from their events. */
export interface ItemCounters {
  /** Counts an event that was stored since the tracker became live. */
  count(effect: CountItem): void;
  /** Restores gauges from an earlier event. Counters start at 0, so that a restart causes no increase. */
  restore(effect: CountItem): void;
}

/**
 * Creates the metrics of the items of all workers. A worker counts its own items too, but Prometheus never scrapes a worker that
 * starts and exits between two scrapes. The tracker runs all the time, and every settled item has an event.
 */
export function createItemCounters({ registry, deadLetters }: Metrics, graph: Graph): ItemCounters {
  const { counter, gauge, histogram } = createMetricFactory(registry);
  const items = counter('settled_items', 'Settled items of all workers, by outcome', 'stage', 'outcome');
  const duration = histogram('work', 'settled_item_duration', 'Duration of settled items of all workers', 'stage');
  const queue = histogram('work', 'settled_item_queue', 'Queue time of settled items of all workers', 'stage');
  const cost = counter('settled_cost_units', 'Cost of settled items of all workers, in GiB-seconds', 'stage');
  const coldStarts = counter('settled_cold_starts', 'Settled items that were the first of their process', 'stage');
  const redeliveries = counter('settled_redeliveries', 'Deliveries of settled items after the first', 'stage');
  const lastDeadLetter = gauge(
    'last_dead_letter_timestamp_seconds',
    'Time of the last dead letter, in seconds since 1970; 0 if the stored events contain none',
    'stage',
  );
  for (const { name: stage } of graph.stages) {
    for (const outcome of outcomes) items.inc({ stage, outcome }, 0);
    for (const each of [cost, coldStarts, redeliveries, deadLetters]) each.inc({ stage }, 0);
    for (const each of [duration, queue]) each.zero({ stage });
    lastDeadLetter.set({ stage }, 0);
  }
  const stages = new Set(graph.stages.map(({ name }) => name));

  const restore: ItemCounters['restore'] = ({ event: { stage, outcome }, storedAtMs }) => {
    // The stream may contain events of a stage that was removed from the graph.
    if (outcome === 'failed' && stages.has(stage)) lastDeadLetter.set({ stage }, storedAtMs / 1_000);
  };

  return {
    restore,
    count(effect) {
      restore(effect);
      const { stage, outcome, duration_ms, queue_ms, cost_unit, cold_start, deliveries } = effect.event;
      if (!stages.has(stage)) return;
      items.inc({ stage, outcome });
      redeliveries.inc({ stage }, Math.max(0, deliveries - 1));
      cost.inc({ stage }, cost_unit);
      if (cold_start) coldStarts.inc({ stage });
      // The duration of an item whose workers were lost is unknown.
      if (duration_ms === 0) return;
      duration.observe({ stage }, duration_ms / 1_000);
      queue.observe({ stage }, queue_ms / 1_000);
    },
  };
}
