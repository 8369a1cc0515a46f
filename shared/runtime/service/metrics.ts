import { statfs } from 'node:fs/promises';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ItemEvent } from '../../../schemas/generated/types.ts';
import { TERMINAL_EVENTS } from '../../bus/events.ts';
import type { StoreObserver } from '../../store/store.ts';

/** What every process measures; label values come from the graph and from fixed lists, so their number is bounded. */
export interface Metrics {
  readonly registry: Registry;
  readonly items: Counter<'stage' | 'outcome'>;
  readonly duration: Histogram<'stage' | 'outcome'>;
  readonly queue: Histogram<'stage'>;
  readonly cost: Counter<'stage'>;
  readonly coldStarts: Counter<'stage'>;
  readonly coldStart: Histogram<'stage' | 'part'>;
  readonly redeliveries: Counter<'stage'>;
  readonly deadLetters: Counter<'stage'>;
  readonly busy: Gauge<'stage'>;
  readonly tools: Counter<'tool' | 'result'>;
  readonly events: Counter<'result'>;
  readonly lastEvent: Gauge<'path'>;
  readonly requests: Counter<'status'>;
  readonly requestDuration: Histogram<'status'>;
  /** Counts what the store is asked for. */
  readonly store: StoreObserver;
}

/**
 * Upper bounds of the histograms' buckets, seconds: a quantile is known no better than by them. A step of a process (a call of the
 * store, a part of a start) is short; an item may take an hour, and a request more.
 */
const BOUNDS = {
  step: [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  work: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1_200, 1_800, 3_600, 7_200],
};

/** What makes metrics of FAVE's in a registry, by the part of their name between `fave_` and `_total` or `_seconds`. */
export function createMetricFactory(registry: Registry) {
  const registers = [registry];
  return {
    counter: <L extends string>(name: string, help: string, ...labelNames: L[]): Counter<L> =>
      new Counter({ name: `fave_${name}_total`, help, labelNames, registers }),
    gauge: <L extends string>(name: string, help: string, ...labelNames: L[]): Gauge<L> =>
      new Gauge({ name: `fave_${name}`, help, labelNames, registers }),
    histogram: <L extends string>(of: keyof typeof BOUNDS, name: string, help: string, ...labelNames: L[]): Histogram<L> =>
      new Histogram({ name: `fave_${name}_seconds`, help, labelNames, buckets: BOUNDS[of], registers }),
  };
}

/** The metrics of a process. @param directory Whose disk's room is told. */
export function createMetrics(service: string, directory?: string): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  const { counter, gauge, histogram } = createMetricFactory(registry);

  const operations = counter('store_operations', 'Requests to the store by what came of them', 'operation', 'result');
  const latency = histogram('step', 'store_operation', 'Until the store has answered, its body included', 'operation');
  const bytes = counter('store_bytes', 'Content read from the store (in) and written to it (out), bytes', 'direction');
  if (directory !== undefined) registerDiskGauges(directory, registry);
  return {
    registry,
    items: counter('items', 'Items by outcome', 'stage', 'outcome'),
    duration: histogram('work', 'item_duration', 'Work on an item', 'stage', 'outcome'),
    queue: histogram('work', 'item_queue', 'From announced to begun', 'stage'),
    cost: counter('cost_units', 'duration_ms / 1000 × memory_limit_mb / 1024', 'stage'),
    coldStarts: counter('cold_starts', 'Items that were their process’s first', 'stage'),
    coldStart: histogram(
      'step',
      'cold_start',
      'From the process’s beginning to its first item, by part: imports, connections, model, first_item',
      'stage',
      'part',
    ),
    redeliveries: counter('redeliveries', 'Deliveries after the first', 'stage'),
    deadLetters: counter('dead_letters', 'Items that ended as a dead letter', 'stage'),
    busy: gauge('busy_slots', 'Items being worked on', 'stage'),
    tools: counter('tool_exits', 'Tools that stages ran, by how they ended', 'tool', 'result'),
    events: counter('relay_notifications', 'Bucket notifications by result', 'result'),
    lastEvent: gauge(
      'last_notification_timestamp_seconds',
      'Time of the last notification per path, in seconds since 1970',
      'path',
    ),
    requests: counter('requests', 'Requests by status', 'status'),
    requestDuration: histogram('work', 'request_duration', 'From accepted to the end of the request', 'status'),
    store: {
      onResponse(operation, result, seconds) {
        operations.inc({ operation, result });
        latency.observe({ operation }, seconds);
      },
      onTransfer(direction, amount) {
        bytes.inc({ direction }, amount);
      },
    },
  };
}

/** What may come of an item. */
export const outcomes = ['done', 'reused', 'skipped', 'failed'] as const satisfies readonly ItemEvent['outcome'][];

/** What a stage may count, from 0: a rate of what has not happened yet must be 0, and the first time must be an increase. */
export function initializeItemMetrics(metrics: Metrics, stage: string): void {
  for (const outcome of outcomes) metrics.items.inc({ stage, outcome }, 0);
  for (const each of [metrics.cost, metrics.coldStarts, metrics.redeliveries, metrics.deadLetters]) each.inc({ stage }, 0);
  metrics.duration.zero({ stage, outcome: 'done' });
  metrics.queue.zero({ stage });
}

/** Requests, from 0 as well. */
export function initializeRequestMetrics({ requests, requestDuration }: Metrics): void {
  for (const status of ['accepted', ...TERMINAL_EVENTS]) requests.inc({ status }, 0);
  for (const status of ['completed', 'failed']) requestDuration.zero({ status });
}

/** Room on a directory's disk, looked at when somebody asks. */
function registerDiskGauges(directory: string, registry: Registry): void {
  const tell = (name: string, help: string, blocks: 'blocks' | 'bavail'): void => {
    const gauge: Gauge = new Gauge({
      name,
      help,
      registers: [registry],
      collect: async () => {
        const disk = await statfs(directory).catch(() => undefined);
        gauge.set(disk ? disk[blocks] * disk.bsize : NaN);
      },
    });
  };
  tell('fave_disk_size_bytes', 'Size of the disk of the items’ directories, bytes', 'blocks');
  tell('fave_disk_free_bytes', 'Room on the disk of the items’ directories, bytes', 'bavail');
}
