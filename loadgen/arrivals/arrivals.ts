import { PermanentError } from '../../shared/core/errors.ts';
import { expectedArrivals, homogeneousPoisson, inhomogeneousPoisson, type RateStep } from './poisson.ts';
import { randomOf } from '../../shared/core/random.ts';

/** When requests arrive. Rates are requests a second, times seconds. */
export type Arrivals =
  /** Equal spacing, from 0 on. */
  | { readonly pattern: 'steady'; readonly rate: number; readonly duration: number }
  /** Steady, each arrival moved by up to a quarter of the spacing either way: no two runs hit the system in its own rhythm. */
  | { readonly pattern: 'moderate'; readonly rate: number; readonly duration: number }
  /** `size` at once, every `period`. */
  | { readonly pattern: 'bursty'; readonly size: number; readonly period: number; readonly duration: number }
  /** A homogeneous Poisson process. */
  | { readonly pattern: 'poisson'; readonly rate: number; readonly duration: number }
  /** A Poisson process whose rate follows a recorded one. */
  | { readonly pattern: 'trace'; readonly steps: readonly RateStep[]; readonly duration: number };

export type Pattern = Arrivals['pattern'];

/** Intended arrival times, seconds from the start, ascending; a pure function of its arguments. @throws PermanentError `too-many-arrivals`. */
export function arrivalTimes(arrivals: Arrivals, seed: number): number[] {
  const { duration } = arrivals;
  const expected = meanRate(arrivals) * duration;
  if (expected > MAX_ARRIVALS)
    throw new PermanentError(
      'too-many-arrivals',
      `the load would have some ${Math.round(expected)} requests; at most ${MAX_ARRIVALS}`,
    );
  const random = randomOf(seed);
  switch (arrivals.pattern) {
    case 'steady':
      return createSpacedTimes(arrivals.rate, duration, () => 0);
    case 'moderate':
      return createSpacedTimes(arrivals.rate, duration, () => random.between(0, 0.5));
    case 'bursty':
      return createSpacedTimes(1 / arrivals.period, duration, () => 0).flatMap((time) =>
        Array.from({ length: arrivals.size }, () => time),
      );
    case 'poisson':
      return homogeneousPoisson(arrivals.rate, duration, random);
    case 'trace':
      return inhomogeneousPoisson(arrivals.steps, duration, random);
  }
}

/** Requests a second, over the whole duration. */
export function meanRate(arrivals: Arrivals): number {
  switch (arrivals.pattern) {
    case 'bursty':
      return arrivals.size / arrivals.period;
    case 'trace':
      return expectedArrivals(arrivals.steps, arrivals.duration) / arrivals.duration;
    default:
      return arrivals.rate;
  }
}

/** All arrivals are planned beforehand and recorded in memory until they end. */
const MAX_ARRIVALS = 1_000_000;

/** @param shift Of each arrival, as a share of the spacing, below 1. */
function createSpacedTimes(rate: number, duration: number, shift: () => number): number[] {
  // 0.1 × 30 must not become a fourth arrival by a rounding error.
  const count = Math.ceil(duration * rate - 1e-9);
  return Array.from({ length: count }, (_, n) => (n + shift()) / rate);
}
