import type { StreamInfo } from '@nats-io/jetstream';
import { Gauge } from 'prom-client';
import { consumersOf, fetchConsumerLag } from '../../shared/bus/consumers.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import { initializeRequestMetrics } from '../../shared/runtime/service/metrics.ts';
import type { Service } from '../../shared/runtime/service/service.ts';
import { streams } from '../../shared/bus/topology.ts';
import type { RunRegistry } from './run-registry.ts';

/** Milliseconds that one look at the bus serves for: all gauges of a scrape show the same moment. */
const FRESH = 500;

/**
 * Tells how full queues and streams are, looked at whenever somebody asks for the metrics: a tracker that nobody scrapes does
 * nothing. While the bus does not answer there are no values, which is not the same as 0.
 */
export function registerGauges(
  { bus, metrics }: Pick<Service, 'bus' | 'metrics'>,
  graph: Graph,
  runs: Pick<RunRegistry, 'openRequests'>,
): void {
  const { manager } = bus;
  initializeRequestMetrics(metrics);
  const lag = briefly(() =>
    Promise.all(
      consumersOf(graph).map(async ({ stream, name, stage, lane }) => ({
        labels: { stage, lane },
        value: await fetchConsumerLag(bus, stream, name),
      })),
    ),
  );
  const fill = briefly(() => Promise.all(Object.values(streams).map((name) => manager.streams.info(name))));

  const tell = (name: string, help: string, labelNames: string[], read: () => Promise<readonly Level[]>): void => {
    const gauge: Gauge = new Gauge({
      name: `fave_${name}`,
      help,
      labelNames,
      registers: [metrics.registry],
      collect: async () => {
        const levels = await read().catch(() => []);
        gauge.reset();
        for (const { labels, value } of levels) gauge.set(labels, value);
      },
    });
  };
  const ofStreams =
    (value: (info: StreamInfo) => number, more: (info: StreamInfo) => Level['labels'] = () => ({})) =>
    async (): Promise<Level[]> =>
      (await fill()).map((info) => ({ labels: { stream: info.config.name, ...more(info) }, value: value(info) }));

  tell(
    'lag',
    'Messages that a consumer has yet to work on or is working on (num_pending + num_ack_pending)',
    ['stage', 'lane'],
    lag,
  );
  tell(
    'stream_bytes',
    'What a stream holds, bytes',
    ['stream'],
    ofStreams(({ state }) => state.bytes),
  );
  tell(
    'stream_limit_bytes',
    'What a stream may hold, bytes; at that it refuses what is new, or drops what is old',
    ['stream', 'discard'],
    ofStreams(
      ({ config }) => config.max_bytes,
      ({ config }) => ({ discard: config.discard }),
    ),
  );
  tell(
    'stream_messages',
    'What a stream holds, messages',
    ['stream'],
    ofStreams(({ state }) => state.messages),
  );
  tell(
    'stream_first_timestamp_seconds',
    'Of when the oldest is that a stream holds, seconds since 1970',
    ['stream'],
    ofStreams(({ state }) => (state.messages > 0 ? Date.parse(state.first_ts) / 1_000 : NaN)),
  );
  tell('open_requests', 'Requests that have not ended', [], () =>
    Promise.resolve([{ labels: {}, value: runs.openRequests().length }]),
  );
}

interface Level {
  readonly labels: Record<string, string>;
  readonly value: number;
}

/** Reads once for all who ask at the same time. */
function briefly<T>(read: () => Promise<T>): () => Promise<T> {
  let reading: Promise<T> | undefined;
  let at = 0;
  return () => {
    if (!reading || performance.now() - at > FRESH) {
      at = performance.now();
      reading = read();
    }
    return reading;
  };
}
