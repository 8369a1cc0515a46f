import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** What every process measures; label values come from the graph and from fixed lists, so their number is bounded. */
export interface Metrics {
  readonly registry: Registry;
  readonly items: Counter<'stage' | 'outcome'>;
  readonly duration: Histogram<'stage' | 'outcome'>;
  readonly queue: Histogram<'stage'>;
  readonly cost: Counter<'stage'>;
  readonly coldStarts: Counter<'stage'>;
  readonly redeliveries: Counter<'stage'>;
  readonly busy: Gauge<'stage'>;
  readonly events: Counter<'result'>;
  readonly requests: Counter<'status'>;
}

const SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800];

export function createMetrics(service: string): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    items: new Counter({ name: 'fave_items_total', help: 'Items by outcome', labelNames: ['stage', 'outcome'], registers }),
    duration: new Histogram({
      name: 'fave_item_duration_seconds',
      help: 'Work on an item',
      labelNames: ['stage', 'outcome'],
      buckets: SECONDS,
      registers,
    }),
    queue: new Histogram({
      name: 'fave_item_queue_seconds',
      help: 'From announced to begun',
      labelNames: ['stage'],
      buckets: SECONDS,
      registers,
    }),
    cost: new Counter({
      name: 'fave_cost_units_total',
      help: 'duration_ms / 1000 × memory_limit_mb / 1024',
      labelNames: ['stage'],
      registers,
    }),
    coldStarts: new Counter({
      name: 'fave_cold_starts_total',
      help: 'Items that were their process’s first',
      labelNames: ['stage'],
      registers,
    }),
    redeliveries: new Counter({
      name: 'fave_redeliveries_total',
      help: 'Deliveries after the first',
      labelNames: ['stage'],
      registers,
    }),
    busy: new Gauge({ name: 'fave_busy_slots', help: 'Items being worked on', labelNames: ['stage'], registers }),
    events: new Counter({
      name: 'fave_relay_events_total',
      help: 'Bucket notifications by what became of them',
      labelNames: ['result'],
      registers,
    }),
    requests: new Counter({ name: 'fave_requests_total', help: 'Requests by status', labelNames: ['status'], registers }),
  };
}
