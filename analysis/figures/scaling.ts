import type { PlatformStudy, RecordedCell } from '../data/study.ts';
import { stageOrder } from '../measures/stages.ts';
import { colours, ordinal, type Figure } from './figure.ts';

/** Creates the area charts of replicas and lag over time under one load, for the first repeat of each regime. */
export function createScalingFigure({ conditions, regimes, platform }: PlatformStudy, load: string): Figure {
  const own = conditions.filter((condition) => condition.load === load);
  const stages = stageOrder(own.flatMap(({ runs }) => runs));
  const values = own.flatMap(({ runs }) => runs.slice(0, 1).flatMap((run) => seriesOf(run, stages)));
  const title = `Replicas and lag over time, ${load}`;
  const panel = (measure: 'replicas' | 'lag') => ({
    facet: { ...ordinal('regime', regimes), header: { title: null, ...(measure === 'lag' && { labels: false }) } },
    spec: {
      width: 230,
      height: 130,
      mark: { type: 'area' as const, interpolate: 'step-after' as const },
      encoding: {
        x: { field: 'seconds', type: 'quantitative' as const, title: measure === 'lag' ? 'seconds since the start' : null },
        y: {
          field: measure,
          type: 'quantitative' as const,
          stack: 'zero' as const,
          title: measure,
          axis: { tickMinStep: 1, tickCount: 5, format: 'd' },
        },
        color: {
          field: 'stage',
          type: 'nominal' as const,
          scale: { domain: stages, range: [...colours] },
          sort: stages,
          title: null,
        },
        order: { field: 'order' },
      },
    },
  });
  return {
    name: `replicas-and-lag-${load}-${platform}`,
    title,
    caption: `Running replicas and lag (queued and unacknowledged items), stacked by stage, from the snapshots of repeat ${own[0]?.runs[0]?.cell.repeat ?? '–'} of each regime under “${load}”.`,
    spec: { title, data: { values }, vconcat: [panel('replicas'), panel('lag')] },
  };
}

function seriesOf({ cell, snapshots }: RecordedCell, stages: readonly string[]) {
  return snapshots.flatMap(({ time, stages: state }) =>
    stages.map((stage, order) => ({
      regime: cell.regime,
      stage,
      order,
      seconds: (Date.parse(time) - Date.parse(cell.began)) / 1_000,
      replicas: state[stage]?.replicas ?? 0,
      lag: state[stage]?.lag ?? 0,
    })),
  );
}
