/** Effect of other idle timeouts, computed from recorded gaps between items. */
import { group, sum } from 'd3-array';
import { union, queueSpan, busySpan, type Span } from './occupancy.ts';
import type { RecordedCell } from '../data/study.ts';

/** Candidates, in seconds. The last is the default `cooldownPeriod` of KEDA. */
export const timeoutCandidates = [1, 5, 15, 30, 60, 120, 300] as const;

interface Gap {
  readonly seconds: number;
  readonly memoryMb: number;
}

export interface Timeout {
  readonly seconds: number;
  /** Share of gaps that are longer than the timeout; each causes a cold start. */
  readonly cold: number;
  /** Idle cost of the last replica of each stage, in GB·s per request. */
  readonly idle: number;
}

/** Computes the times in which a stage was idle between two items of a cell, excluding the time before the first and after the last item. */
function computeGaps({ items, cell }: RecordedCell): Gap[] {
  return [...group(items, ({ stage }) => stage)].flatMap(([stage, own]) => {
    const busy = union(own.map((item): Span => [queueSpan(item)[0], busySpan(item)[1]]));
    const memoryMb = cell.settings.stages[stage]?.memory_mb ?? 0;
    return busy.slice(1).map(([from], n) => ({ seconds: (from - (busy[n]?.[1] ?? from)) / 1_000, memoryMb }));
  });
}

/** Evaluates each candidate for these cells, with one replica per stage that scales to zero. */
export function evaluateTimeouts(runs: readonly RecordedCell[]): Timeout[] {
  const gaps = runs.flatMap(computeGaps);
  const requests = sum(runs, (run) => run.requests.length);
  return timeoutCandidates.map((seconds) => ({
    seconds,
    cold: gaps.length === 0 ? NaN : gaps.filter((gap) => gap.seconds > seconds).length / gaps.length,
    idle: sum(gaps, (gap) => (Math.min(gap.seconds, seconds) * gap.memoryMb) / 1_024) / requests,
  }));
}

/** Returns the shortest candidate for which at most 10 % of the gaps are longer. */
export const findSufficientTimeout = (timeouts: readonly Timeout[]): Timeout | undefined =>
  timeouts.find(({ cold }) => cold <= 0.1);
