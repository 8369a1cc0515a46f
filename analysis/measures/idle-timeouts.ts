/** What other idle time-outs would have meant for the gaps that were recorded: computed, not measured. */
import { group, sum } from 'd3-array';
import { union, queueSpan, busySpan, type Span } from './occupancy.ts';
import type { RecordedCell } from '../data/study.ts';

/** Seconds; the last is KEDA's default `cooldownPeriod`. */
export const timeoutCandidates = [1, 5, 15, 30, 60, 120, 300] as const;

export interface Gap {
  readonly seconds: number;
  readonly memoryMb: number;
}

export interface Timeout {
  readonly seconds: number;
  /** Share of the gaps that outlast it, each a cold start. */
  readonly cold: number;
  /** GB·s a request that the last replica of each stage costs while it waits for work, or for its end. */
  readonly idle: number;
}

/** Times in which a stage had nothing to do, between two items of a run: the first item and the time after the last are left out. */
export function computeGaps({ items, cell }: RecordedCell): Gap[] {
  return [...group(items, ({ stage }) => stage)].flatMap(([stage, own]) => {
    const busy = union(own.map((item): Span => [queueSpan(item)[0], busySpan(item)[1]]));
    const memoryMb = cell.settings.stages[stage]?.memory_mb ?? 0;
    return busy.slice(1).map(([from], n) => ({ seconds: (from - (busy[n]?.[1] ?? from)) / 1_000, memoryMb }));
  });
}

/** What each candidate time-out would have meant for these runs with one replica a stage that may go. */
export function evaluateTimeouts(runs: readonly RecordedCell[]): Timeout[] {
  const gaps = runs.flatMap(computeGaps);
  const requests = sum(runs, (run) => run.requests.length);
  return timeoutCandidates.map((seconds) => ({
    seconds,
    cold: gaps.length === 0 ? NaN : gaps.filter((gap) => gap.seconds > seconds).length / gaps.length,
    idle: sum(gaps, (gap) => (Math.min(gap.seconds, seconds) * gap.memoryMb) / 1_024) / requests,
  }));
}

/** The shortest candidate that no more than a tenth of the gaps outlasts. */
export const findSufficientTimeout = (timeouts: readonly Timeout[]): Timeout | undefined =>
  timeouts.find(({ cold }) => cold <= 0.1);
