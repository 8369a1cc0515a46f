import { cpus, loadavg } from 'node:os';
import { quantile } from 'd3-array';

/** Milliseconds of a clock that all processes of a machine share (CLOCK_MONOTONIC), so that an interval may begin in one and end in another. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** A distribution; the unit is that of the values. */
export interface Distribution {
  readonly n: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

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

/** Three digits after the point at most: less than any clock here tells. */
export function roundToMicro(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

/** A figure that was promised, and what was seen. */
export interface Target {
  readonly what: string;
  readonly limit: string;
  readonly seen: number;
  readonly met: boolean;
}

export function atMost(what: string, seen: number, limit: number): Target {
  return { what, limit: `≤ ${limit}`, seen: roundToMicro(seen), met: seen <= limit };
}

export function atLeast(what: string, seen: number, limit: number): Target {
  return { what, limit: `≥ ${limit}`, seen: roundToMicro(seen), met: seen >= limit };
}

/** What a benchmark found. */
export interface BenchResult {
  readonly targets: readonly Target[];
  /** Everything measured, by name; the unit is part of the name unless it is milliseconds. */
  readonly figures: Readonly<Record<string, unknown>>;
}

/** The machine, without which no figure means anything: a load above 0 before the start is somebody else's. */
export function describeMachine(): object {
  return { cpus: cpus().length, model: cpus()[0]?.model, load: loadavg().map(roundToMicro), node: process.version };
}
