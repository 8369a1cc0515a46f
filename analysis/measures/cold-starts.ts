/** Parts of cold starts, and their share of request latency. */
import { group, sum } from 'd3-array';
import type { ColdStartParts } from '../../schemas/generated/types.ts';
import { coldShare, latencies } from './measures.ts';
import { intersection, totalLength, union, queueSpan, busySpan, type Span } from './occupancy.ts';
import { difference, bootstrapInterval, createQuantile, type Clusters, type Interval } from './statistics.ts';
import { memoizePerCondition, type Condition, type RecordedCell } from '../data/study.ts';

/** Names of the parts of a cold start, in chronological order. */
export const coldStartParts = {
  decision_ms: 'decision',
  spawn_ms: 'spawn',
  imports_ms: 'imports',
  connections_ms: 'connections',
  model_ms: 'model',
  first_item_ms: 'first item',
} as const satisfies Record<keyof ColdStartParts, string>;

export const partNames = Object.keys(coldStartParts) as (keyof ColdStartParts)[];

export interface ColdStart {
  readonly stage: string;
  /** Start of its first item, in ms since the epoch. */
  readonly at: number;
  readonly parts: ColdStartParts;
  readonly total_ms: number;
}

/** Computes the cold starts of a cell from the first items of replicas. Those of the warm-up are excluded. */
export function computeColdStarts({ scaling, cell }: RecordedCell): ColdStart[] {
  return scaling.flatMap(({ event, stage, time, cold_start }) => {
    const at = Date.parse(time);
    if (event !== 'first-item' || !cold_start || at < Date.parse(cell.began)) return [];
    return [{ stage, at, parts: cold_start, total_ms: sum(partNames, (part) => cold_start[part]) }];
  });
}

interface ColdWait {
  readonly latency_ms: number;
  /** Time in which an item of the request was queued for a stage with a starting replica while no item of the request was processed. */
  readonly wait_ms: number;
}

/** Computes the time that each completed request spent waiting for replicas. */
function computeColdWaits(run: RecordedCell): ColdWait[] {
  const starting = new Map(
    [...group(computeColdStarts(run), ({ stage }) => stage)].map(([stage, starts]): [string, Span[]] => [
      stage,
      union(starts.map(({ at, total_ms }) => [at - total_ms, at])),
    ]),
  );
  const items = group(run.items, ({ request_id }) => request_id);
  return run.requests.flatMap(({ request_id, status, latency_ms, intended }) => {
    if (status !== 'completed' || latency_ms === null) return [];
    const own = items.get(request_id) ?? [];
    const life: Span = [Date.parse(intended), Date.parse(intended) + latency_ms];
    const waited = union(own.flatMap((item) => intersection([queueSpan(item)], starting.get(item.stage) ?? [])));
    const within = intersection(waited, [life]);
    return [{ latency_ms, wait_ms: totalLength(within) - totalLength(intersection(within, union(own.map(busySpan)))) }];
  });
}

export interface ColdSummary {
  readonly condition: Condition;
  /** Share of requests with at least one cold start. */
  readonly frequency: Interval;
  /** Share of the total latency that requests spent waiting for replicas. */
  readonly shareOfLatency: Interval;
  /** Median latency of requests with a cold start minus that of requests without, in ms; NaN if either group is empty. */
  readonly extra: Interval;
  /** Median time from the announcement of the first item to the start of its processing, in ms. */
  readonly duration: Interval;
  readonly count: number;
}

export const summarizeColdStarts = memoizePerCondition((condition): ColdSummary => {
  const { runs } = condition;
  const starts = runs.map(computeColdStarts);
  const requests = runs.map((run) => run.requests);
  const split = (cold: boolean): Clusters<number> =>
    requests.map((all) => latencies(all.filter(({ cold_starts }) => cold_starts > 0 === cold)));
  const median = createQuantile(0.5);
  return {
    condition,
    frequency: bootstrapInterval(requests, coldShare),
    shareOfLatency: bootstrapInterval(
      runs.map(computeColdWaits),
      (waits) => sum(waits, ({ wait_ms }) => wait_ms) / sum(waits, (each) => each.latency_ms),
    ),
    extra: difference([split(true), split(false)], ([cold = [], warm = []]) => median(cold) - median(warm)),
    duration: bootstrapInterval(starts, (all) => median(all.map(({ total_ms }) => total_ms))),
    count: starts.flat().length,
  };
});
