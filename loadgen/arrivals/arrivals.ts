import { PermanentError } from '../../shared/core/errors.ts';
import { expectedArrivals, homogeneousPoisson, inhomogeneousPoisson, type RateStep } from './poisson.ts';
import { randomOf } from '../../shared/core/random.ts';

/** Arrival pattern of a load. Rates are in requests per second, times in seconds. */
export type Arrivals =
  /** Equal intervals, starting at 0. */
  | { readonly pattern: 'steady'; readonly rate: number; readonly duration: number }
  /** Steady with jitter of up to a quarter of the interval in both directions, which avoids resonance with periodic work of the system. */
  | { readonly pattern: 'moderate'; readonly rate: number; readonly duration: number }
  /** `size` simultaneous requests per `period`. */
  | { readonly pattern: 'bursty'; readonly size: number; readonly period: number; readonly duration: number }
  /** A homogeneous Poisson process. */
  | { readonly pattern: 'poisson'; readonly rate: number; readonly duration: number }
  /** A Poisson process with a recorded, time-varying rate. */
  | { readonly pattern: 'trace'; readonly steps: readonly RateStep[]; readonly duration: number };

export type Pattern = Arrivals['pattern'];

/** Returns planned arrival times in ascending order, in seconds from the start. Pure. @throws PermanentError `too-many-arrivals`. */
export function arrivalTimes(arrivals: Arrivals, seed: number): number[] {
  const { duration } = arrivals;
  const expected = meanRate(arrivals) * duration;
  if (expected > MAX_ARRIVALS)
    throw new PermanentError(
      'too-many-arrivals',
      `the load has about ${Math.round(expected)} requests; the maximum is ${MAX_ARRIVALS}`,
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

/** Returns the mean rate over the whole duration, in requests per second. */
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

/** All arrivals are planned in advance and held in memory. */
const MAX_ARRIVALS = 1_000_000;

/** Returns evenly spaced times. @param shift Shift of each arrival, as a share of the interval, below 1. */
function createSpacedTimes(rate: number, duration: number, shift: () => number): number[] {
  // Without the tolerance, a rounding error in 0.1 × 30 would add a fourth arrival.
  const count = Math.ceil(duration * rate - 1e-9);
  return Array.from({ length: count }, (_, n) => (n + shift()) / rate);
}
