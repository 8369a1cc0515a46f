import type { Random } from '../../shared/core/random.ts';

/** From a time on, seconds, requests come at this rate, a second; until the next step. */
export interface RateStep {
  readonly from: number;
  readonly rate: number;
}

/** Arrivals of a homogeneous Poisson process, seconds: gaps are exponentially distributed. */
export function homogeneousPoisson(rate: number, duration: number, random: Random): number[] {
  const gap = (): number => -Math.log(1 - random.next()) / rate;
  const times: number[] = [];
  for (let time = gap(); time < duration; time += gap()) times.push(time);
  return times;
}

/**
 * Arrivals of a Poisson process with a varying rate: those of one with the greatest rate, each kept with probability rate / greatest
 * (Lewis and Shedler, "Simulation of nonhomogeneous Poisson processes by thinning", Naval Research Logistics 26, 1979).
 */
export function inhomogeneousPoisson(steps: readonly RateStep[], duration: number, random: Random): number[] {
  const greatest = Math.max(...steps.map(({ rate }) => rate));
  let at = 0;
  return homogeneousPoisson(greatest, duration, random).filter((time) => {
    while ((steps[at + 1]?.from ?? Infinity) <= time) at += 1;
    return random.next() * greatest < (steps[at]?.rate ?? 0);
  });
}

/** Arrivals that are expected until `time`, seconds. */
export function expectedArrivals(steps: readonly RateStep[], time: number): number {
  return steps.reduce((sum, { from, rate }, n) => {
    const until = Math.min(time, steps[n + 1]?.from ?? Infinity);
    return sum + Math.max(0, until - from) * rate;
  }, 0);
}
