import { quantile } from 'd3-array';
import type { LoadRecord } from '../../schemas/generated/types.ts';

/** A distribution, in ms. */
export interface Distribution {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Summary of the requests of a load, with counts by status. */
export interface LoadSummary extends Record<LoadRecord['status'], number> {
  readonly requests: number;
  /** Time from planned arrival to terminal event; null if no request has a terminal event. */
  readonly latency_ms: Distribution | null;
  /** Time from planned arrival to start of the upload, which is the error of the load generator. */
  readonly late_ms: Distribution | null;
  readonly cold_starts: number;
  readonly cost_unit: number;
}

/** Creates an incremental summary, so callers need not keep all records. */
export function createSummary(): { add(record: LoadRecord): void; summary(): LoadSummary } {
  const statuses = { completed: 0, failed: 0, rejected: 0, error: 0, unfinished: 0 };
  const [latencies, lates]: [number[], number[]] = [[], []];
  let [cold_starts, cost_unit] = [0, 0];
  return {
    add(record) {
      statuses[record.status] += 1;
      if (record.latency_ms !== null) latencies.push(record.latency_ms);
      if (record.late_ms !== null) lates.push(record.late_ms);
      cold_starts += record.cold_starts;
      cost_unit += record.cost_unit;
    },
    summary: () => ({
      requests: lates.length,
      ...statuses,
      latency_ms: summarizeDistribution(latencies),
      late_ms: summarizeDistribution(lates),
      cold_starts,
      cost_unit,
    }),
  };
}

/** Returns the distribution of values, rounded to 0.001, or null for an empty list. */
export function summarizeDistribution(values: readonly number[]): Distribution | null {
  if (values.length === 0) return null;
  const [p50, p95, p99, max] = [0.5, 0.95, 0.99, 1].map((p) => Math.round((quantile(values, p) ?? NaN) * 1e3) / 1e3);
  return { p50, p95, p99, max } as Distribution;
}
