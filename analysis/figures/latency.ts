import { ascending } from 'd3-array';
import { latencies, measures } from '../measures/measures.ts';
import type { Condition, PlatformStudy } from '../data/study.ts';
import { ordinal, quantity, regimeColour, type Figure } from './figure.ts';

const every = ({ load, regime, runs }: Condition) =>
  runs.flatMap(({ requests }) => latencies(requests).map((ms) => ({ load, regime, latency: ms / 1_000 })));

const costs = ({ load, regime, runs }: Condition) =>
  (['cost', 'idle'] as const).map((measure) => {
    const { value, low, high } = measures[measure].interval(runs);
    return { load, regime, kind: measure === 'cost' ? 'run' : 'idle', value, low, high };
  });

/** Creates box plots of latency beside bars of cost. */
export function createLatencyAndCostFigure({ conditions, regimes, loads, platform }: PlatformStudy): Figure {
  const size = { width: Math.max(90, regimes.length * 46), height: 240 };
  const facet = { column: { ...ordinal('load', loads), header: { title: null } } };
  return {
    name: `latency-and-cost-${platform}`,
    title: 'Latency of requests and what they cost',
    caption:
      'Left: latency of each completed request; box: quartiles and median, whiskers: to the last value within 1.5 interquartile ranges, dots: outliers. ' +
      'Right: cost per completed request with 95 % intervals. Run cost is the cost of processing items; idle cost is the cost of replicas without an item. They are different quantities and are not added.',
    spec: {
      title: 'Latency of requests and what they cost',
      spacing: 40,
      hconcat: [
        {
          data: { values: conditions.flatMap(every) },
          facet: facet.column,
          spec: {
            ...size,
            mark: { type: 'boxplot', extent: 1.5, size: 22, outliers: { size: 10 }, median: { color: 'white' } },
            encoding: {
              x: { ...ordinal('regime', regimes), axis: { labelAngle: -35 } },
              y: { ...quantity('latency', 'latency, s'), scale: { zero: true } },
              color: regimeColour(regimes, false),
            },
          },
        },
        {
          data: { values: conditions.flatMap(costs) },
          facet: facet.column,
          spec: {
            ...size,
            layer: [
              {
                mark: 'bar',
                encoding: {
                  y: quantity('value', 'cost a request, GB·s'),
                  color: regimeColour(regimes, false),
                  opacity: kindOpacity,
                },
              },
              {
                mark: { type: 'rule', strokeWidth: 1.5 },
                encoding: { y: quantity('low', 'cost a request, GB·s'), y2: { field: 'high' } },
              },
            ],
            encoding: {
              x: { ...ordinal('regime', regimes), axis: { labelAngle: -35 } },
              xOffset: { field: 'kind', type: 'nominal', sort: ['run', 'idle'] },
            },
          },
        },
      ],
    },
  };
}

const kindOpacity = {
  field: 'kind',
  type: 'nominal' as const,
  sort: ['run', 'idle'] as string[],
  scale: { domain: ['run', 'idle'], range: [1, 0.4] },
  title: 'cost',
};

/** Creates the cumulative distributions of latency. */
export function createLatencyCdfFigure({ conditions, regimes, loads, platform }: PlatformStudy): Figure {
  const steps = conditions.flatMap((condition) => {
    const sorted = every(condition).sort((a, b) => ascending(a.latency, b.latency));
    const [first] = sorted;
    return first ? [{ ...first, share: 0 }, ...sorted.map((each, n) => ({ ...each, share: (n + 1) / sorted.length }))] : [];
  });
  return {
    name: `latency-cdf-${platform}`,
    title: 'Share of requests that took at most so long',
    caption:
      'Empirical distribution of the latency of completed requests, over all repeats of a regime. Latency counts from the planned arrival.',
    spec: {
      title: 'Share of requests that took at most so long',
      data: { values: steps },
      facet: { ...ordinal('load', loads), header: { title: null } },
      columns: 3,
      spec: {
        width: 250,
        height: 220,
        mark: { type: 'line', interpolate: 'step-after', strokeWidth: 2 },
        encoding: {
          x: quantity('latency', 'latency, s'),
          y: { ...quantity('share', 'share of requests'), axis: { format: '.0%' } },
          color: regimeColour(regimes),
          strokeDash: { field: 'regime', type: 'nominal', sort: [...regimes], title: 'regime' },
          order: { field: 'share' },
        },
      },
      resolve: { scale: { x: 'independent' } },
    },
  };
}
