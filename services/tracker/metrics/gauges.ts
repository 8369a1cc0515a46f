import type { StreamInfo } from '@nats-io/jetstream';
import { Gauge } from 'prom-client';
import { consumersOf, fetchConsumerLag } from '../../../shared/bus/consumers.ts';
import type { Graph } from '../../../shared/pipeline/graph.ts';
import { initializeRequestMetrics } from '../../../shared/runtime/service/metrics.ts';
import type { Service } from '../../../shared/runtime/service/service.ts';
import { streams } from '../../../shared/bus/topology.ts';

/** Time for which one read of the bus is reused, so that all gauges of a scrape show the same moment (ms). */
const CACHE_MS = 500;

interface Sample {
  readonly labels: Record<string, string>;
  readonly value: number;
}

/**
 * Registers the gauges of consumers and streams. They are read at a scrape only. While the bus does not answer they have no
 * values, which differs from 0.
 */
export function registerGauges(
  { bus, metrics }: Pick<Service, 'bus' | 'metrics'>,
  graph: Graph,
  countOpenRequests: () => number,
): void {
  const { manager } = bus;
  initializeRequestMetrics(metrics);
  const readLags = cacheBriefly(() =>
    Promise.all(
      consumersOf(graph).map(async ({ stream, name, stage, lane }) => ({
        labels: { stage, lane },
        value: await fetchConsumerLag(bus, stream, name),
      })),
    ),
  );
  const readStreams = cacheBriefly(() => Promise.all(Object.values(streams).map((name) => manager.streams.info(name))));

  const register = (name: string, help: string, labelNames: string[], read: () => Promise<readonly Sample[]>): void => {
    const gauge: Gauge = new Gauge({
      name: `fave_${name}`,
      help,
      labelNames,
      registers: [metrics.registry],
      collect: async () => {
        const samples = await read().catch(() => []);
        gauge.reset();
        for (const { labels, value } of samples) gauge.set(labels, value);
      },
    });
  };
  const registerStream = (
    name: string,
    help: string,
    value: (info: StreamInfo) => number,
    labelsOf: (info: StreamInfo) => Sample['labels'] = () => ({}),
    labelNames: string[] = [],
  ): void => {
    register(name, help, ['stream', ...labelNames], async () =>
      (await readStreams()).map((info) => ({ labels: { stream: info.config.name, ...labelsOf(info) }, value: value(info) })),
    );
  };

  register(
    'lag',
    'Lag of a consumer: pending messages and messages in progress (num_pending + num_ack_pending)',
    ['stage', 'lane'],
    readLags,
  );
  registerStream('stream_bytes', 'Size of a stream, in bytes', ({ state }) => state.bytes);
  registerStream(
    'stream_limit_bytes',
    'Maximum size of a stream, in bytes; a full stream refuses new messages or removes old ones (label discard)',
    ({ config }) => config.max_bytes,
    ({ config }) => ({ discard: config.discard }),
    ['discard'],
  );
  registerStream('stream_messages', 'Number of messages in a stream', ({ state }) => state.messages);
  registerStream(
    'stream_first_timestamp_seconds',
    'Time of the oldest message of a stream, in seconds since 1970',
    ({ state }) => (state.messages > 0 ? Date.parse(state.first_ts) / 1_000 : NaN),
  );
  register('open_requests', 'Requests that have not ended', [], () =>
    Promise.resolve([{ labels: {}, value: countOpenRequests() }]),
  );
}

/** Returns a function that shares one call of `read` between all callers of a short time. */
function cacheBriefly<T>(read: () => Promise<T>): () => Promise<T> {
  let reading: Promise<T> | undefined;
  let readAt = 0;
  return () => {
    if (!reading || performance.now() - readAt > CACHE_MS) {
      readAt = performance.now();
      reading = read();
    }
    return reading;
  };
}
