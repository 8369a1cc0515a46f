import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { arrivalTimes, meanRate, type Arrivals } from '../../loadgen/arrivals/arrivals.ts';
import { expectedArrivals } from '../../loadgen/arrivals/poisson.ts';
import { parseTrace } from '../../loadgen/arrivals/trace.ts';
import { kolmogorov } from './kolmogorov.ts';

/** Twenty fixed seeds: what they show they show every time. */
const seeds = Array.from({ length: 20 }, (_, n) => n + 1);

const day = parseTrace(readFileSync(new URL('./day.csv', import.meta.url), 'utf8'));
const trace: Arrivals = { pattern: 'trace', ...day };

describe('arrival times', () => {
  it.each<[Arrivals, number[]]>([
    [{ pattern: 'steady', rate: 2, duration: 2 }, [0, 0.5, 1, 1.5]],
    [{ pattern: 'steady', rate: 0.1, duration: 30 }, [0, 10, 20]],
    [{ pattern: 'bursty', size: 3, period: 4, duration: 8 }, [0, 0, 0, 4, 4, 4]],
  ])('%j', (arrivals, times) => {
    expect(arrivalTimes(arrivals, 1)).toEqual(times);
  });

  it('are the same for the same seed, and others for another', () => {
    for (const arrivals of [
      { pattern: 'moderate', rate: 5, duration: 60 },
      { pattern: 'poisson', rate: 5, duration: 60 },
      trace,
    ] as const) {
      expect(arrivalTimes(arrivals, 7)).toEqual(arrivalTimes(arrivals, 7));
      expect(arrivalTimes(arrivals, 7)).not.toEqual(arrivalTimes(arrivals, 8));
    }
  });

  it('moderate: gaps are of half to one and a half times the spacing, and use that room', () => {
    const times = arrivalTimes({ pattern: 'moderate', rate: 2, duration: 500 }, 1);
    const gaps = times.slice(1).map((time, n) => time - times[n]!);
    expect(times).toHaveLength(1_000);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(0.25);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(0.75);
    expect(Math.max(...gaps) - Math.min(...gaps)).toBeGreaterThan(0.4);
  });

  it.each(['steady', 'moderate', 'poisson'] as const)('%s: as many as the rate says', (pattern) => {
    const count = seeds.reduce((sum, seed) => sum + arrivalTimes({ pattern, rate: 5, duration: 100 }, seed).length, 0);
    // Of a Poisson process 10 000 ± 4 σ.
    expect(Math.abs(count - 5 * 100 * seeds.length)).toBeLessThan(400);
  });

  it('refuses a load that is too large', () => {
    expect(() => arrivalTimes({ pattern: 'steady', rate: 1e6, duration: 3_600 }, 1)).toThrow(/at most/);
  });
});

describe('Poisson arrivals', () => {
  // The random time change theorem: in expected arrivals instead of seconds, the gaps of a Poisson process are exponential with mean 1.
  const rescaled = (times: readonly number[], expected: (time: number) => number): number[] =>
    times.map((time, n) => 1 - Math.exp(-(expected(time) - expected(times[n - 1] ?? 0))));
  /** How many of the seeds are rejected at 5 %: of 20, more than 4 come up with p = 0.003 where the hypothesis holds. */
  const rejected = (arrivals: Arrivals, expected: (time: number) => number): number =>
    seeds.filter((seed) => kolmogorov(rescaled(arrivalTimes(arrivals, seed), expected)) < 0.05).length;

  const homogeneous: Arrivals = { pattern: 'poisson', rate: 5, duration: 200 };

  it('have the gaps of a Poisson process', () => {
    expect(rejected(homogeneous, (time) => 5 * time)).toBeLessThanOrEqual(4);
  });

  it('follow a trace', () => {
    expect(rejected(trace, (time) => expectedArrivals(day.steps, time))).toBeLessThanOrEqual(4);
  });

  it('would not pass for another rate, for none that varies, or for steady ones', () => {
    expect(rejected(homogeneous, (time) => 6 * time)).toBeGreaterThanOrEqual(18);
    expect(rejected(trace, (time) => meanRate(trace) * time)).toBe(20);
    expect(rejected({ pattern: 'steady', rate: 5, duration: 200 }, (time) => 5 * time)).toBe(20);
  });
});

describe('a trace', () => {
  it.each([
    ['time;rps\n0;1', /header/],
    ['time,rps\n0,1', /at least two/],
    ['time,rps\n1,1\n2,1', /begin at 0/],
    ['time,rps\n0,1\n5,2\n5,1', /line 4.*ascend/],
    ['time,rps\n0,-1\n5,1', /line 2.*at least 0/],
    ['time,rps\n0,\n5,1', /line 2/],
    ['time,rps\n0,0\n5,0', /every rate is 0/],
  ])('%j is refused', (text, why) => {
    expect(() => parseTrace(text)).toThrow(why);
  });
});
