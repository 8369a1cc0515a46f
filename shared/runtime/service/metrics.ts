import { statfs } from 'node:fs/promises';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ItemEvent } from '../../../schemas/generated/types.ts';
import { TERMINAL_EVENTS } from '../../bus/events.ts';
import type { StoreObserver } from '../../store/store.ts';

/** Metrics of every process. Label values come from the graph and from fixed lists, so the number of time series is bounded. */
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
  /** Measures the requests to the store. */
  readonly store: StoreObserver;
}

/**
 * Upper bounds of the histogram buckets, in seconds. They limit the precision of quantiles. A `step` of a process is short, such as a
 * store request or a part of the start; `work` is an item, which may take an hour, or a request.
 */
const BOUNDS = {
  step: [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  work: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1_200, 1_800, 3_600, 7_200],
};

/** Creates functions that register metrics. Names are given without the prefix `fave_` and the suffix `_total` or `_seconds`. */
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

/** Creates the metrics of a process. @param directory Directory whose disk is measured. */
export function createMetrics(service: string, directory?: string): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  const { counter, gauge, histogram } = createMetricFactory(registry);

  const operations = counter('store_operations', 'Requests to the store by result', 'operation', 'result');
  const latency = histogram(
    'step',
    'store_operation',
    'Duration of requests to the store, including the response body',
    'operation',
  );
  const bytes = counter('store_bytes', 'Content read from the store (in) and written to it (out), in bytes', 'direction');
  if (directory !== undefined) registerDiskGauges(directory, registry);
  return {
    registry,
    items: counter('items', 'Items by outcome', 'stage', 'outcome'),
    duration: histogram('work', 'item_duration', 'Duration of the work on an item', 'stage', 'outcome'),
    queue: histogram('work', 'item_queue', 'Time from the announcement of an item to the start of its attempt', 'stage'),
    cost: counter('cost_units', 'Cost of items in GiB-seconds: duration_ms / 1000 × memory_limit_mb / 1024', 'stage'),
    coldStarts: counter('cold_starts', 'Items that were the first of their process', 'stage'),
    coldStart: histogram(
      'step',
      'cold_start',
      'Time from the start of a process to its first item, by part: imports, connections, model, first_item',
      'stage',
      'part',
    ),
    redeliveries: counter('redeliveries', 'Deliveries after the first', 'stage'),
    deadLetters: counter('dead_letters', 'Items that became a dead letter', 'stage'),
    busy: gauge('busy_slots', 'Items in progress', 'stage'),
    tools: counter('tool_exits', 'Tool runs by result', 'tool', 'result'),
    events: counter('relay_notifications', 'Bucket notifications by result', 'result'),
    lastEvent: gauge(
      'last_notification_timestamp_seconds',
      'Time of the last notification per path, in seconds since 1970',
      'path',
    ),
    requests: counter('requests', 'Requests by status', 'status'),
    requestDuration: histogram('work', 'request_duration', 'Time from the acceptance of a request to its end', 'status'),
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

/** Outcomes of a settled item. */
export const outcomes = ['done', 'reused', 'skipped', 'failed'] as const satisfies readonly ItemEvent['outcome'][];

/** Sets the item metrics of a stage to 0, so that rates start at 0 and the first item is an increase. */
export function initializeItemMetrics(metrics: Metrics, stage: string): void {
  for (const outcome of outcomes) metrics.items.inc({ stage, outcome }, 0);
  for (const each of [metrics.cost, metrics.coldStarts, metrics.redeliveries, metrics.deadLetters]) each.inc({ stage }, 0);
  metrics.duration.zero({ stage, outcome: 'done' });
  metrics.queue.zero({ stage });
}

/** Sets the request metrics to 0. */
export function initializeRequestMetrics({ requests, requestDuration }: Metrics): void {
  for (const status of ['accepted', ...TERMINAL_EVENTS]) requests.inc({ status }, 0);
  for (const status of ['completed', 'failed']) requestDuration.zero({ status });
}

/** Registers gauges of the disk of a directory. The disk is read at each scrape. */
function registerDiskGauges(directory: string, registry: Registry): void {
  const register = (name: string, help: string, blocks: 'blocks' | 'bavail'): void => {
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
  register('fave_disk_size_bytes', 'Size of the disk of the working directories, in bytes', 'blocks');
  register('fave_disk_free_bytes', 'Free space on the disk of the working directories, in bytes', 'bavail');
}
