import { beforeAll, describe, expect, it } from 'vitest';
import { graph } from '../../services/pipeline.ts';
import { consumersOf, tellLevels } from '../../services/tracker/levels.ts';
import { connectBus, type Bus } from '../../shared/bus.ts';
import { createMetrics } from '../../shared/runtime/metrics.ts';
import { ownStack, type Stack } from '../stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await ownStack();
});

/** What a tracker with this connection tells, by the labels of each series. */
async function told(bus: Bus, metric: string): Promise<Record<string, number>> {
  const metrics = createMetrics('tracker');
  tellLevels({ bus, metrics }, graph, { openRequests: () => [] });
  const { values } = await metrics.registry.getSingleMetric(metric)!.get();
  return Object.fromEntries(values.map(({ labels, value }) => [Object.values(labels).join(' '), value]));
}

describe('lag', () => {
  it('of a consumer that is missing is no number, and that of the others is told', async () => {
    const noNumber = async (): Promise<string[]> => {
      const lags = Object.entries(await told(stack.bus, 'fave_lag'));
      expect(lags).toHaveLength(consumersOf(graph).length);
      return lags.filter(([, lag]) => Number.isNaN(lag)).map(([labels]) => labels);
    };
    expect(await noNumber()).toEqual([]);
    await stack.bus.manager.consumers.delete('FAVE_LANDED', 'stage-grep-rest');
    expect(await noNumber()).toEqual(['stage-grep rest']);
  });

  it('is not told where the bus does not answer', async () => {
    const bus = await connectBus(stack.config.bus, 'test');
    await bus.close();
    expect(await told(bus, 'fave_lag')).toEqual({});
  });
});
