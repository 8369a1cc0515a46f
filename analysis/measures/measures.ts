/** Measures of one cell. Latencies are in ms, costs in GB·s. */
import { sum } from 'd3-array';
import type { LoadRecord } from '../../schemas/generated/types.ts';
import { idleCost } from './occupancy.ts';
import { difference, bootstrapInterval, meanOf, createQuantile, type Interval } from './statistics.ts';
import type { RecordedCell } from '../data/study.ts';

/** Latencies of completed requests. */
export const latencies = (requests: readonly LoadRecord[]): number[] =>
  requests.flatMap(({ status, latency_ms }) => (status === 'completed' && latency_ms !== null ? [latency_ms] : []));

export const succeeded = (requests: readonly LoadRecord[]): number =>
  meanOf(requests.map(({ status }) => Number(status === 'completed')));

export const coldShare = (requests: readonly LoadRecord[]): number =>
  meanOf(requests.map(({ cold_starts }) => Number(cold_starts > 0)));

/** Returns the cost of all requests divided by the number of completed ones, because failed requests cost too. */
export const costPerRequest = (requests: readonly LoadRecord[]): number => {
  const completed = requests.filter(({ status }) => status === 'completed').length;
  return completed === 0 ? NaN : sum(requests, ({ cost_unit }) => cost_unit) / completed;
};

/** Duration of a cell, in seconds. */
export const durationSeconds = ({ cell }: RecordedCell): number => (Date.parse(cell.ended) - Date.parse(cell.began)) / 1_000;

const completed = ({ requests }: RecordedCell): number => requests.filter(({ status }) => status === 'completed').length;

/** Completed requests per minute. */
export const throughput = (run: RecordedCell): number => (completed(run) / durationSeconds(run)) * 60;

/** Idle cost per completed request. */
export const idlePerRequest = (run: RecordedCell): number => (completed(run) === 0 ? NaN : idleCost(run) / completed(run));

/** Two groups of cells under the same load. */
export type Pair = readonly [a: readonly RecordedCell[], b: readonly RecordedCell[]];

/** A quantity by which regimes are compared. */
export interface Measure {
  readonly name: string;
  readonly unit: string;
  readonly digits: number;
  /** Divisor that converts a value to `unit`. */
  readonly scale: number;
  readonly lessIsBetter: boolean;
  /** Value of one cell. */
  readonly ofRun: (run: RecordedCell) => number;
  readonly interval: (runs: readonly RecordedCell[]) => Interval;
  /** Difference b − a, or b / a with `ratio`, averaged over loads. */
  readonly contrast: (loads: readonly Pair[]) => Interval;
  readonly ratio: boolean;
  /** Values by which two groups are ranked, for the effect size. */
  readonly ranked: (run: RecordedCell) => readonly number[];
}

interface MeasureOf<T> {
  readonly name: string;
  readonly unit: string;
  readonly digits: number;
  readonly scale?: number;
  readonly lessIsBetter?: boolean;
  readonly ratio?: boolean;
  /** Sample of a cell. */
  readonly sample: (run: RecordedCell) => readonly T[];
  readonly statistic: (values: readonly T[]) => number;
  readonly rank: (value: T) => number | null;
}

function measure<T>({ sample, statistic, rank, scale = 1, lessIsBetter = true, ratio = false, ...names }: MeasureOf<T>): Measure {
  const compare = (a: number, b: number): number => (ratio ? b / a : b - a);
  const contrast = (loads: readonly Pair[]): Interval =>
    difference(
      loads.flatMap(([a, b]) => [a.map(sample), b.map(sample)]),
      (groups) => meanOf(loads.map((_, n) => compare(statistic(groups[2 * n] ?? []), statistic(groups[2 * n + 1] ?? [])))),
    );
  return {
    ...names,
    scale,
    lessIsBetter,
    ratio,
    ofRun: (run) => statistic(sample(run)),
    interval: (runs) => bootstrapInterval(runs.map(sample), statistic),
    contrast,
    ranked: (run) => sample(run).flatMap((value) => rank(value) ?? []),
  };
}

const requests = (run: RecordedCell): readonly LoadRecord[] => run.requests;
const latency = ({ status, latency_ms }: LoadRecord): number | null => (status === 'completed' ? latency_ms : null);
const percentile = (p: number) => (all: readonly LoadRecord[]) => createQuantile(p)(latencies(all));

/** Measures by which regimes are compared. The tests of each measure form a separate family. */
export const measures = {
  latency: measure({
    name: 'median latency',
    unit: 's',
    digits: 2,
    scale: 1e3,
    sample: requests,
    statistic: percentile(0.5),
    rank: latency,
  }),
  tail: measure({
    name: 'p95 latency',
    unit: 's',
    digits: 2,
    scale: 1e3,
    sample: requests,
    statistic: percentile(0.95),
    rank: latency,
  }),
  cold: measure({
    name: 'requests with a cold start',
    unit: '%',
    digits: 1,
    scale: 0.01,
    sample: requests,
    statistic: coldShare,
    rank: ({ cold_starts }) => Number(cold_starts > 0),
  }),
  cost: measure({
    name: 'run cost per request',
    unit: 'GB·s',
    digits: 2,
    sample: requests,
    statistic: costPerRequest,
    rank: ({ cost_unit }) => cost_unit,
  }),
  idle: measure({
    name: 'idle cost per request',
    unit: 'GB·s',
    digits: 2,
    sample: (run) => [idlePerRequest(run)],
    statistic: meanOf,
    rank: (value) => value,
  }),
  success: measure({
    name: 'success',
    unit: '%',
    digits: 1,
    scale: 0.01,
    lessIsBetter: false,
    sample: requests,
    statistic: succeeded,
    rank: ({ status }) => Number(status === 'completed'),
  }),
} as const satisfies Record<string, Measure>;

/** Creates the measure of the processing time of a stage, excluding reused items. */
export function computeRunTime(stage: string): Measure {
  return measure({
    name: `run time of ${stage}`,
    unit: '×',
    digits: 2,
    ratio: true,
    sample: ({ items }) => items.flatMap((item) => (item.stage === stage && item.outcome === 'done' ? [item.duration_ms] : [])),
    statistic: createQuantile(0.5),
    rank: (value) => value,
  });
}
