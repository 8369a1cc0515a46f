import { measures } from '../measures/measures.ts';
import type { PlatformStudy } from '../data/study.ts';
import { computeFrontier, type Point } from '../measures/frontier.ts';
import { ordinal, regimeColour, type Figure } from './figure.ts';

const axes = { cost: 'run cost', idle: 'idle cost' } as const;

/** Creates the scatter plot of latency against each cost. A line connects the Pareto-optimal regimes. */
export function createFrontierFigure(study: PlatformStudy): Figure {
  const { regimes, loads, platform } = study;
  const title = 'Latency against cost';
  const values = (['cost', 'idle'] as const).flatMap((axis) =>
    loads.flatMap((load) => {
      const points = pointsOf(study, load, axis);
      const best = computeFrontier(points);
      return points.map((point) => ({ ...point, load, axis: axes[axis], best: best.includes(point) }));
    }),
  );
  const y = { type: 'quantitative' as const, title: 'p95 latency, s', scale: { zero: false } };
  const x = { type: 'quantitative' as const, title: 'cost per request, GB·s', scale: { zero: false } };
  return {
    name: `cost-latency-frontier-${platform}`,
    title,
    caption:
      'p95 latency against run cost (top) and against idle cost (bottom), with 95 % intervals in both. The dashed line connects the Pareto-optimal regimes. The two costs are never added.',
    spec: {
      title,
      data: { values },
      facet: {
        row: { ...ordinal('axis', Object.values(axes)), header: { title: null } },
        column: { ...ordinal('load', loads), header: { title: null } },
      },
      spec: {
        width: 220,
        height: 180,
        layer: [
          {
            transform: [{ filter: 'datum.best' }],
            mark: { type: 'line', color: '#888888', strokeDash: [4, 3] },
            encoding: { x: { field: 'cost', ...x }, y: { field: 'latency', ...y }, order: { field: 'cost' } },
          },
          { mark: 'rule', encoding: { x: { field: 'costLow', ...x }, x2: { field: 'costHigh' }, y: { field: 'latency', ...y } } },
          {
            mark: 'rule',
            encoding: { x: { field: 'cost', ...x }, y: { field: 'latencyLow', ...y }, y2: { field: 'latencyHigh' } },
          },
          {
            mark: { type: 'point', filled: true, size: 90, opacity: 1 },
            encoding: {
              x: { field: 'cost', ...x },
              y: { field: 'latency', ...y },
              color: regimeColour(regimes),
              shape: { field: 'regime', type: 'nominal', scale: { domain: [...regimes] }, title: 'regime' },
            },
          },
        ],
      },
      resolve: { scale: { x: 'independent', y: 'independent' } },
    },
  };
}

function pointsOf({ conditions }: PlatformStudy, load: string, axis: 'cost' | 'idle'): (Point & Record<string, unknown>)[] {
  return conditions
    .filter((condition) => condition.load === load)
    .map(({ regime, runs }) => {
      const cost = measures[axis].interval(runs);
      const latency = measures.tail.interval(runs);
      return {
        regime,
        cost: cost.value,
        costLow: cost.low,
        costHigh: cost.high,
        latency: latency.value / 1_000,
        latencyLow: latency.low / 1_000,
        latencyHigh: latency.high / 1_000,
      };
    });
}
