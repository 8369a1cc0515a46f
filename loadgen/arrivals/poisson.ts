import type { Random } from '../../shared/core/random.ts';

/** Rate from a time until the next step: `from` is in seconds, `rate` in requests per second. */
export interface RateStep {
  readonly from: number;
  readonly rate: number;
}

/** Draws the arrivals of a homogeneous Poisson process, in seconds. Gaps are exponentially distributed. */
export function homogeneousPoisson(rate: number, duration: number, random: Random): number[] {
  const gap = (): number => -Math.log(1 - random.next()) / rate;
  const times: number[] = [];
  for (let time = gap(); time < duration; time += gap()) times.push(time);
  return times;
}

/**
 * Draws the arrivals of a Poisson process with a varying rate by thinning: arrivals at the maximum rate are kept with probability
 * rate / maximum (Lewis and Shedler, "Simulation of nonhomogeneous Poisson processes by thinning", Naval Research Logistics 26, 1979).
 */
export function inhomogeneousPoisson(steps: readonly RateStep[], duration: number, random: Random): number[] {
  const greatest = Math.max(...steps.map(({ rate }) => rate));
  let at = 0;
  return homogeneousPoisson(greatest, duration, random).filter((time) => {
    while ((steps[at + 1]?.from ?? Infinity) <= time) at += 1;
    return random.next() * greatest < (steps[at]?.rate ?? 0);
  });
}

/** Returns the expected number of arrivals until `time`, in seconds. */
export function expectedArrivals(steps: readonly RateStep[], time: number): number {
  return steps.reduce((sum, { from, rate }, n) => {
    const until = Math.min(time, steps[n + 1]?.from ?? Infinity);
    return sum + Math.max(0, until - from) * rate;
  }, 0);
}
