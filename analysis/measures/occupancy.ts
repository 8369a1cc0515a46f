/** Lifetime and idle time of replicas. */
import { sort, sum } from 'd3-array';
import type { ItemRecord } from '../../schemas/generated/types.ts';
import type { RecordedCell } from '../data/study.ts';

/** Start and end, in ms since the epoch. */
export type Span = readonly [from: number, to: number];

/** Returns the time in which an item was processed. */
export const busySpan = ({ time, duration_ms }: ItemRecord): Span => [Date.parse(time) - duration_ms, Date.parse(time)];

/** Returns the time in which an item was queued. */
export const queueSpan = (item: ItemRecord): Span => [busySpan(item)[0] - item.queue_ms, busySpan(item)[0]];

/** Returns the union of spans as sorted spans without overlap. */
export function union(spans: readonly Span[]): Span[] {
  const merged: [number, number][] = [];
  for (const [from, to] of sort(spans, ([a], [b]) => a - b)) {
    const last = merged.at(-1);
    if (to <= from) continue;
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

/** Returns the intersection of two unions of spans. */
export function intersection(some: readonly Span[], others: readonly Span[]): Span[] {
  return some.flatMap(([from, to]) =>
    others.flatMap(([begin, end]): Span[] => {
      const span = [Math.max(from, begin), Math.min(to, end)] as const;
      return span[0] < span[1] ? [span] : [];
    }),
  );
}

export const totalLength = (spans: readonly Span[]): number => sum(spans, ([from, to]) => to - from);

export interface Occupancy {
  readonly stage: string;
  readonly memoryMb: number;
  /** Replica-seconds between the start and the end of a cell. */
  readonly replicaSeconds: number;
  readonly busySeconds: number;
  /** Cost of replicas without an item, in GB·s. */
  readonly idleCost: number;
}

/**
 * Computes replica-seconds and busy seconds of each stage of a cell. A replica exists from `started` to `stopped` or `crashed`; time outside
 * the cell does not count. The number of busy replicas at a time is the number of items in progress, at most the number of replicas,
 * because a record does not contain the replica of an item, and a replica may process several items at once.
 */
export function computeOccupancy(run: RecordedCell): Occupancy[] {
  const window: Span = [Date.parse(run.cell.began), Date.parse(run.cell.ended)];
  return Object.entries(run.cell.settings.stages).map(([stage, { memory_mb }]) => {
    const lifetimes = replicaLifetimes(run, stage).flatMap((span) => intersection([span], [window]));
    const items = run.items.filter((item) => item.stage === stage).flatMap((item) => intersection([busySpan(item)], [window]));
    const replicaSeconds = totalLength(lifetimes) / 1_000;
    const busySeconds = overlap(lifetimes, items) / 1_000;
    return {
      stage,
      memoryMb: memory_mb,
      replicaSeconds,
      busySeconds,
      idleCost: ((replicaSeconds - busySeconds) * memory_mb) / 1_024,
    };
  });
}

export const idleCost = (run: RecordedCell): number => sum(computeOccupancy(run), (stage) => stage.idleCost);

/** Returns the lifetime of each replica of a stage. A replica without a recorded start existed before the cell. */
function replicaLifetimes({ cell, scaling }: RecordedCell, stage: string): Span[] {
  const begun = new Map<string, number>();
  const gone = new Map<string, number>();
  for (const { event, replica, time, stage: ofStage } of scaling) {
    if (ofStage !== stage || replica === undefined) continue;
    const at = Date.parse(time);
    if (event === 'started') begun.set(replica, at);
    else if (!begun.has(replica)) begun.set(replica, Math.min(at, Date.parse(cell.began)));
    if (event === 'stopped' || event === 'crashed') gone.set(replica, at);
  }
  return [...begun].map(([replica, from]) => [from, gone.get(replica) ?? Math.max(from, Date.parse(cell.ended))]);
}

/** ∫ min(replicas, items) dt, in ms. */
function overlap(replicas: readonly Span[], items: readonly Span[]): number {
  const steps = (spans: readonly Span[], counted: 'replicas' | 'items') =>
    spans.flatMap(([from, to]) => [
      { at: from, counted, by: 1 },
      { at: to, counted, by: -1 },
    ]);
  const count = { replicas: 0, items: 0 };
  let total = 0;
  let last = 0;
  for (const { at, counted, by } of sort([...steps(replicas, 'replicas'), ...steps(items, 'items')], (a, b) => a.at - b.at)) {
    total += (at - last) * Math.min(count.replicas, count.items);
    last = at;
    count[counted] += by;
  }
  return total;
}
