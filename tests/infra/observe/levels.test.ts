import { DiscardPolicy } from '@nats-io/jetstream';
import { beforeAll, describe, expect, it } from 'vitest';
import { graph } from '../../../services/pipeline.ts';
import { registerGauges } from '../../../services/tracker/metrics/gauges.ts';
import { consumersOf } from '../../../shared/bus/consumers.ts';
import { connectBus, type Bus } from '../../../shared/bus/connection.ts';
import { createMetrics } from '../../../shared/runtime/service/metrics.ts';
import { streamConfigs, streams } from '../../../shared/bus/topology.ts';
import { createOwnStack, type Stack } from '../../support/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await createOwnStack();
});

/** Returns the values of a metric of a tracker with this connection, by the labels of the series. */
async function readMetric(bus: Bus, metric: string): Promise<Record<string, number>> {
  const metrics = createMetrics('tracker');
  registerGauges({ bus, metrics }, graph, () => 0);
  const { values } = await metrics.registry.getSingleMetric(metric)!.get();
  return Object.fromEntries(values.map(({ labels, value }) => [Object.values(labels).join(' '), value]));
}

describe('lag', () => {
  it('reports NaN for a missing consumer and the lag of the others', async () => {
    const readNaN = async (): Promise<string[]> => {
      const lags = Object.entries(await readMetric(stack.bus, 'fave_lag'));
      expect(lags).toHaveLength(consumersOf(graph).length);
      return lags.filter(([, lag]) => Number.isNaN(lag)).map(([labels]) => labels);
    };
    expect(await readNaN()).toEqual([]);
    await stack.bus.manager.consumers.delete('FAVE_LANDED', 'stage-grep-rest');
    expect(await readNaN()).toEqual(['stage-grep rest']);
  });

  it('has no values if the bus does not answer', async () => {
    const bus = await connectBus(stack.config.bus, 'test');
    await bus.close();
    expect(await readMetric(bus, 'fave_lag')).toEqual({});
  });
});

describe('stream gauges', () => {
  it('reports which streams reject messages when they are full', async () => {
    const bytes = (discard: DiscardPolicy): [string, number][] =>
      streamConfigs()
        .filter((config) => config.discard === discard)
        .map(({ name = '', max_bytes = 0 }) => [`${name} ${discard}`, max_bytes]);
    const limits = [...bytes(DiscardPolicy.New), ...bytes(DiscardPolicy.Old)];
    expect(limits).toHaveLength(Object.values(streams).length);
    expect(await readMetric(stack.bus, 'fave_stream_limit_bytes')).toEqual(Object.fromEntries(limits));
  });

  it('reports the time of the first message', async () => {
    const before = Date.now() / 1_000;
    await stack.bus.publish('fave.dlq.stage-grep.reach', { letter: true }, {});
    const { FAVE_DLQ, FAVE_REQUESTS } = await readMetric(stack.bus, 'fave_stream_first_timestamp_seconds');
    expect(FAVE_DLQ).toBeGreaterThanOrEqual(before);
    expect(FAVE_DLQ).toBeLessThanOrEqual(Date.now() / 1_000);
    expect(FAVE_REQUESTS).toBeNaN();
  });
});
