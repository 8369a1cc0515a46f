import { group } from 'd3-array';
import { computeColdStarts, partNames, coldStartParts } from '../measures/cold-starts.ts';
import { measures } from '../measures/measures.ts';
import { stageOrder } from '../measures/stages.ts';
import { meanOf } from '../measures/statistics.ts';
import type { PlatformStudy } from '../data/study.ts';
import { colours, ordinal, quantity, regimeColour, type Figure } from './figure.ts';

/** Creates the bar chart of the share of requests with a cold start. */
export function createColdFrequencyFigure({ conditions, regimes, loads, platform }: PlatformStudy): Figure {
  const values = conditions.map(({ load, regime, runs }) => ({ load, regime, ...measures.cold.interval(runs) }));
  const title = 'Requests with a cold start';
  const y = { ...quantity('value', 'share of requests'), axis: { format: '.0%' }, scale: { domain: [0, 1] } };
  return {
    name: `cold-start-frequency-${platform}`,
    title,
    caption: 'Share of requests with at least one item that was the first of its process, with 95 % intervals.',
    spec: {
      title,
      data: { values },
      facet: { ...ordinal('load', loads), header: { title: null } },
      columns: 4,
      spec: {
        width: Math.max(110, regimes.length * 46),
        height: 220,
        layer: [
          { mark: { type: 'bar', size: 26 }, encoding: { y, color: regimeColour(regimes, false) } },
          { mark: { type: 'rule', strokeWidth: 1.5 }, encoding: { y: { ...y, field: 'low' }, y2: { field: 'high' } } },
        ],
        encoding: { x: { ...ordinal('regime', regimes), axis: { labelAngle: -35 } } },
      },
    },
  };
}

/** Creates the stacked bar chart of the parts of a cold start. */
export function createColdPartsFigure(studies: readonly PlatformStudy[]): Figure {
  const runs = studies.flatMap(({ conditions }) => conditions.flatMap((condition) => condition.runs));
  const stages = stageOrder(runs);
  const starts = runs.flatMap((run) => computeColdStarts(run).map((start) => ({ ...start, platform: run.cell.platform })));
  const values = [...group(starts, ({ platform, stage }) => `${platform} ${stage}`).values()].flatMap((own) =>
    partNames.map((part, order) => ({
      stage: own[0]?.stage,
      platform: own[0]?.platform,
      part: coldStartParts[part],
      order,
      seconds: meanOf(own.map((start) => start.parts[part])) / 1_000,
      n: own.length,
    })),
  );
  const title = 'The parts of a cold start';
  const names = partNames.map((part) => coldStartParts[part]);
  return {
    name: 'cold-start-parts',
    title,
    caption:
      'Means over all cold starts of a stage, in chronological order: from the announcement of the oldest queued item to the scaling decision; to the process start; loading the code; ' +
      'connections; the start of the stage (for example loading a model); from ready to the first item.',
    spec: {
      title,
      data: { values },
      facet: { ...ordinal('platform', ['local', 'kubernetes']), header: { title: null } },
      columns: 1,
      spec: {
        width: 520,
        height: { step: 26 },
        mark: { type: 'bar', size: 16 },
        encoding: {
          y: ordinal('stage', stages),
          x: quantity('seconds', 'mean, s'),
          color: {
            field: 'part',
            type: 'nominal',
            sort: names,
            scale: { domain: names, range: colours.slice(0, names.length) },
            title: null,
          },
          order: { field: 'order' },
        },
      },
      resolve: { scale: { x: 'independent' } },
    },
  };
}
