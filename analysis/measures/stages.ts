/** Queue time and run time per stage. */
import { rollup, sum } from 'd3-array';
import type { ItemRecord } from '../../schemas/generated/types.ts';
import { bootstrapInterval, createQuantile, type Interval } from './statistics.ts';
import { memoizePerCondition, type Condition, type RecordedCell } from '../data/study.ts';

export interface StageTimes {
  readonly condition: Condition;
  readonly stage: string;
  readonly items: number;
  /** Medians per item, in ms. */
  readonly queue: Interval;
  readonly run: Interval;
  /** Share of the time of its items that they were queued. */
  readonly queueShare: Interval;
  /** Share of the run time of all stages in the condition. */
  readonly shareOfWork: number;
}

/** Computes queue time and run time of each stage, in the order in which requests reach the stages. */
export const computeStageTimes = memoizePerCondition((condition): StageTimes[] => {
  const { runs } = condition;
  const work = sum(runs, ({ items }) => sum(items, ({ duration_ms }) => duration_ms));
  return stageOrder(runs).map((stage) => {
    const items = runs.map((run) => run.items.filter((item) => item.stage === stage));
    const median = (of: (item: ItemRecord) => number): Interval =>
      bootstrapInterval(items, (all) => createQuantile(0.5)(all.map(of)));
    return {
      condition,
      stage,
      items: items.flat().length,
      queue: median(({ queue_ms }) => queue_ms),
      run: median(({ duration_ms }) => duration_ms),
      queueShare: bootstrapInterval(items, (all) => {
        const queued = sum(all, ({ queue_ms }) => queue_ms);
        return queued / (queued + sum(all, ({ duration_ms }) => duration_ms));
      }),
      shareOfWork: sum(items.flat(), ({ duration_ms }) => duration_ms) / work,
    };
  });
});

/** Returns stages sorted by the median time from the arrival of a request to its first settled item, because a record contains no graph. */
export function stageOrder(runs: readonly RecordedCell[]): string[] {
  const delays = runs.flatMap(({ requests, items }) => {
    const arrived = new Map(requests.map(({ request_id, intended }) => [request_id, Date.parse(intended)]));
    const first = rollup(
      items,
      (own) => Math.min(...own.map(({ time }) => Date.parse(time))),
      ({ stage }) => stage,
      ({ request_id }) => request_id,
    );
    return [...first].flatMap(([stage, times]) =>
      [...times].map(([id, time]) => ({ stage, delay: time - (arrived.get(id) ?? time) })),
    );
  });
  const medians = rollup(
    delays,
    (own) => createQuantile(0.5)(own.map(({ delay }) => delay)),
    ({ stage }) => stage,
  );
  return [...medians].sort(([a, m], [b, n]) => m - n || (a < b ? -1 : 1)).map(([stage]) => stage);
}
