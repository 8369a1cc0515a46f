/** Tables of the study. All intervals are 95 % intervals; see `bootstrapInterval`. */
import { sum } from 'd3-array';
import { summarizeColdStarts } from '../measures/cold-starts.ts';
import type { Comparison } from '../measures/compare.ts';
import { costPerRequest, idlePerRequest, latencies, succeeded, throughput } from '../measures/measures.ts';
import { computeOccupancy } from '../measures/occupancy.ts';
import { computeStageTimes } from '../measures/stages.ts';
import { bootstrapInterval, magnitude, meanOf, createQuantile, type Interval } from '../measures/statistics.ts';
import type { Condition, PlatformStudy } from '../data/study.ts';
import { format, formatInterval, formatP, inCost, inPercent, inSeconds, type Table } from './table.ts';
import { evaluateTimeouts } from '../measures/idle-timeouts.ts';

const conditionColumns = ['load', 'regime', 'repeats'];
const conditionCells = ({ load, regime, runs }: Condition): string[] => [load, regime, String(runs.length)];

/** Creates the table of latency percentiles, throughput and success. */
export function createLatencyTable(
  conditions: readonly Condition[],
  name: string,
  title = 'Latency, throughput and success',
): Table {
  const percentiles = [0.5, 0.9, 0.95, 0.99];
  return {
    name,
    title,
    columns: [...conditionColumns, 'requests', ...percentiles.map((p) => `p${p * 100} s`), 'completed per minute', 'success %'],
    rows: conditions.map((condition) => {
      const requests = condition.runs.map((run) => run.requests);
      const latency = (p: number): Interval => bootstrapInterval(requests, (all) => createQuantile(p)(latencies(all)));
      return [
        ...conditionCells(condition),
        String(requests.flat().length),
        ...percentiles.map((p) => formatInterval(latency(p), inSeconds)),
        formatInterval(
          bootstrapInterval(
            condition.runs.map((run) => [throughput(run)]),
            meanOf,
          ),
          inCost,
        ),
        formatInterval(bootstrapInterval(requests, succeeded), inPercent),
      ];
    }),
  };
}

/** Creates the table of run cost and idle cost. */
export function createCostTable({ conditions, platform }: PlatformStudy): Table {
  return {
    name: `cost-${platform}`,
    title: 'Cost',
    columns: [
      ...conditionColumns,
      'run cost per request, GB·s',
      'idle cost per request, GB·s',
      'replica-seconds per cell',
      'busy seconds per cell',
    ],
    rows: conditions.map((condition) => {
      const { runs } = condition;
      const all = (what: 'replicaSeconds' | 'busySeconds'): string =>
        format(meanOf(runs.map((run) => sum(computeOccupancy(run), (stage) => stage[what]))), 1);
      return [
        ...conditionCells(condition),
        formatInterval(
          bootstrapInterval(
            runs.map(({ requests }) => requests),
            costPerRequest,
          ),
          inCost,
        ),
        formatInterval(
          bootstrapInterval(
            runs.map((run) => [idlePerRequest(run)]),
            meanOf,
          ),
          inCost,
        ),
        all('replicaSeconds'),
        all('busySeconds'),
      ];
    }),
  };
}

/** Creates the table of the frequency and duration of cold starts and their effect on requests. */
export function createColdTable({ conditions, platform }: PlatformStudy): Table {
  return {
    name: `cold-starts-${platform}`,
    title: 'Cold starts',
    columns: [
      ...conditionColumns,
      'cold starts',
      'requests with one, %',
      'share of latency, %',
      'cold start, median s',
      'extra latency of requests with a cold start, median s',
    ],
    rows: conditions.map((condition) => {
      const { count, frequency, shareOfLatency, duration, extra } = summarizeColdStarts(condition);
      return [
        ...conditionCells(condition),
        String(count),
        formatInterval(frequency, inPercent),
        formatInterval(shareOfLatency, inPercent),
        formatInterval(duration, inSeconds),
        formatInterval(extra, inSeconds),
      ];
    }),
  };
}

/** Creates the table of queue time and run time per item and stage. */
export function createStageTable({ conditions, platform }: PlatformStudy): Table {
  return {
    name: `stages-${platform}`,
    title: 'Queue time and run time per stage',
    columns: [
      'load',
      'regime',
      'stage',
      'items',
      'queue, median s',
      'run, median s',
      'queue share of item time, %',
      'share of total run time, %',
    ],
    rows: conditions
      .flatMap(computeStageTimes)
      .map(({ condition, stage, items, queue, run, queueShare, shareOfWork }) => [
        condition.load,
        condition.regime,
        stage,
        String(items),
        formatInterval(queue, inSeconds),
        formatInterval(run, inSeconds),
        formatInterval(queueShare, inPercent),
        format(shareOfWork * 100, 1),
      ]),
  };
}

/** Formats the contrast of a comparison in its unit. */
export function formatContrast({ contrast, measure }: Pick<Comparison, 'contrast' | 'measure'>): string {
  return `${formatInterval(contrast, measure)} ${measure.unit === '%' ? 'points' : measure.unit}`;
}

/** Creates the table of all tests. */
export function createTestTable(comparisons: readonly Comparison[], platform: string): Table {
  return {
    name: `tests-${platform}`,
    title: 'Tests between regimes',
    columns: [
      'measure',
      'load',
      'regime',
      'compared with',
      'difference or ratio',
      'Cliff’s δ',
      'size',
      'p',
      'smallest possible p',
      'corrected p',
      'shown',
    ],
    rows: comparisons.map((each) => [
      each.measure.name,
      each.load ?? 'all',
      each.b,
      each.a,
      formatContrast(each),
      format(each.delta, 2),
      magnitude(each.delta),
      formatP(each.p),
      formatP(each.least),
      formatP(each.corrected),
      each.significant ? 'yes' : 'no',
    ]),
  };
}

/** Creates the table of other idle timeouts. */
export function createTimeoutTable({ loads, conditions, platform }: PlatformStudy): Table {
  return {
    name: `timeouts-${platform}`,
    title: 'Idle timeouts, computed from the recorded gaps',
    columns: ['load', 'timeout s', 'longer gaps, %', 'idle cost per request, GB·s'],
    rows: loads.flatMap((load) => {
      const runs = conditions.filter((condition) => condition.load === load).flatMap((condition) => condition.runs);
      return evaluateTimeouts(runs).map(({ seconds, cold, idle }) => [
        load,
        String(seconds),
        format(cold * 100, 1),
        format(idle, 2),
      ]);
    }),
  };
}
