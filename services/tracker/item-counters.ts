import type { ItemEvent } from '../../schemas/generated/types.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import { createMetricFactory, outcomes, type Metrics } from '../../shared/runtime/service/metrics.ts';

/** Counts items as their events tell of them. */
export interface ItemCounters {
  /**
   * @param time When the event was stored, milliseconds since 1970.
   * @param current Whether it was stored since this process began: counters begin at 0, and what is older would be no increase.
   */
  take(progress: ItemEvent, time: number, current: boolean): void;
}

/**
 * Metrics of items of all workers. A worker counts its own, but one that comes from zero and goes again between two scrapes, or
 * that dies, is never asked; the tracker runs always, and every settled item has an event.
 */
export function createItemCounters({ registry, deadLetters }: Metrics, graph: Graph): ItemCounters {
  const { counter, gauge, histogram } = createMetricFactory(registry);
  const items = counter('settled_items', 'Items of all workers that are settled, by outcome', 'stage', 'outcome');
  const duration = histogram('work', 'settled_item_duration', 'Work on settled items of all workers', 'stage');
  const queue = histogram('work', 'settled_item_queue', 'From announced to begun, of settled items of all workers', 'stage');
  const cost = counter('settled_cost_units', 'What settled items of all workers cost', 'stage');
  const coldStarts = counter('settled_cold_starts', 'Settled items of all workers that were their process’s first', 'stage');
  const redeliveries = counter('settled_redeliveries', 'Deliveries of settled items after the first', 'stage');
  const last = gauge(
    'last_dead_letter_timestamp_seconds',
    'When an item last ended as a dead letter, seconds since 1970; 0: never, as far as the events reach back',
    'stage',
  );
  for (const { name: stage } of graph.stages) {
    for (const outcome of outcomes) items.inc({ stage, outcome }, 0);
    for (const each of [cost, coldStarts, redeliveries, deadLetters]) each.inc({ stage }, 0);
    for (const each of [duration, queue]) each.zero({ stage });
    last.set({ stage }, 0);
  }
  const known = new Set(graph.stages.map(({ name }) => name));

  return {
    take({ stage, outcome, duration_ms, queue_ms, cost_unit, cold_start, deliveries }, time, current) {
      // Of a stage that was taken out of the graph events still tell.
      if (!known.has(stage)) return;
      if (outcome === 'failed') last.set({ stage }, time / 1_000);
      if (!current) return;
      items.inc({ stage, outcome });
      redeliveries.inc({ stage }, Math.max(0, deliveries - 1));
      cost.inc({ stage }, cost_unit);
      if (cold_start) coldStarts.inc({ stage });
      // Of an item whose worker was lost each time nobody knows how long it took.
      if (duration_ms === 0) return;
      duration.observe({ stage }, duration_ms / 1_000);
      queue.observe({ stage }, queue_ms / 1_000);
    },
  };
}
