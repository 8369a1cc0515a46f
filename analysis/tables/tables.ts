/** The study's tables. Each interval is of 95 %; see `bootstrapInterval`. */
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

/** Latency percentiles, throughput and success. */
export function createLatencyTable(
  conditions: readonly Condition[],
  name: string,
  title = 'Latency, throughput and success',
): Table {
  const percentiles = [0.5, 0.9, 0.95, 0.99];
  return {
    name,
    title,
    columns: [...conditionColumns, 'requests', ...percentiles.map((p) => `p${p * 100} s`), 'completed a minute', 'success %'],
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

/** What work costs, and beside it what waiting for work costs. */
export function createCostTable({ conditions, platform }: PlatformStudy): Table {
  return {
    name: `cost-${platform}`,
    title: 'Cost',
    columns: [
      ...conditionColumns,
      'run cost a request, GB·s',
      'idle cost a request, GB·s',
      'replica-seconds a run',
      'busy seconds a run',
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

/** How often replicas start cold, how long it takes, and what requests feel of it. */
export function createColdTable({ conditions, platform }: PlatformStudy): Table {
  return {
    name: `cold-starts-${platform}`,
    title: 'Cold starts',
    columns: [
      ...conditionColumns,
      'cold starts',
      'requests with one, %',
      'share of latency, %',
      'a cold start, median s',
      'requests with one take longer by, median s',
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

/** Queue time against run time of an item, stage by stage. */
export function createStageTable({ conditions, platform }: PlatformStudy): Table {
  return {
    name: `stages-${platform}`,
    title: 'Queue time and run time a stage',
    columns: [
      'load',
      'regime',
      'stage',
      'items',
      'queue, median s',
      'run, median s',
      'queue share of its time, %',
      'share of all work, %',
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

/** A comparison's contrast in its own unit. */
export function formatContrast({ contrast, measure }: Pick<Comparison, 'contrast' | 'measure'>): string {
  return `${formatInterval(contrast, measure)} ${measure.unit === '%' ? 'points' : measure.unit}`;
}

/** Every test that was made. */
export function createTestTable(comparisons: readonly Comparison[], platform: string): Table {
  return {
    name: `tests-${platform}`,
    title: 'Tests between regimes',
    columns: [
      'measure',
      'load',
      'of',
      'against',
      'difference or ratio',
      'Cliff’s δ',
      'size',
      'p',
      'least p possible',
      'p corrected',
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

/** Other idle time-outs than those that were tried. */
export function createTimeoutTable({ loads, conditions, platform }: PlatformStudy): Table {
  return {
    name: `timeouts-${platform}`,
    title: 'Idle time-outs, computed from the recorded gaps',
    columns: ['load', 'time-out s', 'gaps that outlast it, %', 'idle cost a request, GB·s'],
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
