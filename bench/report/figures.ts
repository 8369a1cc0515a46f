import { cpus, loadavg } from 'node:os';
import { quantile } from 'd3-array';

/** Reads the monotonic clock of the machine (CLOCK_MONOTONIC), in ms. All processes share it, so intervals can span processes. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** A distribution, in the unit of the values. */
export interface Distribution {
  readonly n: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** Summarizes values as quantiles. */
export function summarize(values: readonly number[]): Distribution {
  const [p50, p90, p99, max] = [0.5, 0.9, 0.99, 1].map((p) => roundToMicro(quantile(values, p) ?? NaN)) as [
    number,
    number,
    number,
    number,
  ];
  return { n: values.length, p50, p90, p99, max };
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5) ?? NaN;
}

/** Rounds to three decimals, which exceeds the resolution of the clocks. */
export function roundToMicro(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

/** A limit and the measured value. */
export interface Target {
  readonly name: string;
  readonly limit: string;
  readonly measured: number;
  readonly met: boolean;
}

/** Creates a target with an upper limit. */
export function atMost(name: string, measured: number, limit: number): Target {
  return { name, limit: `≤ ${limit}`, measured: roundToMicro(measured), met: measured <= limit };
}

/** Creates a target with a lower limit. */
export function atLeast(name: string, measured: number, limit: number): Target {
  return { name, limit: `≥ ${limit}`, measured: roundToMicro(measured), met: measured >= limit };
}

/** Result of a benchmark. */
export interface BenchResult {
  readonly targets: readonly Target[];
  /** Measured values by name. The name contains the unit unless it is milliseconds. */
  readonly figures: Readonly<Record<string, unknown>>;
}

/** Returns the machine and its load. A load before the start is caused by other processes. */
export function describeMachine(): object {
  return { cpus: cpus().length, model: cpus()[0]?.model, load: loadavg().map(roundToMicro), node: process.version };
}
