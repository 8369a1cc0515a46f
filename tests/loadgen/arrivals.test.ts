import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { arrivalTimes, meanRate, type Arrivals } from '../../loadgen/arrivals/arrivals.ts';
import { expectedArrivals } from '../../loadgen/arrivals/poisson.ts';
import { parseTrace } from '../../loadgen/arrivals/trace.ts';
import { kolmogorov } from './kolmogorov.ts';

/** Fixed seeds, so the tests are deterministic. */
const seeds = Array.from({ length: 20 }, (_, n) => n + 1);

const day = parseTrace(readFileSync(new URL('./day.csv', import.meta.url), 'utf8'));
const trace: Arrivals = { pattern: 'trace', ...day };

describe('arrivalTimes', () => {
  it.each<[Arrivals, number[]]>([
    [{ pattern: 'steady', rate: 2, duration: 2 }, [0, 0.5, 1, 1.5]],
    [{ pattern: 'steady', rate: 0.1, duration: 30 }, [0, 10, 20]],
    [{ pattern: 'bursty', size: 3, period: 4, duration: 8 }, [0, 0, 0, 4, 4, 4]],
  ])('returns the times of %j', (arrivals, times) => {
    expect(arrivalTimes(arrivals, 1)).toEqual(times);
  });

  it('returns equal times for equal seeds and different times for different seeds', () => {
    for (const arrivals of [
      { pattern: 'moderate', rate: 5, duration: 60 },
      { pattern: 'poisson', rate: 5, duration: 60 },
      trace,
    ] as const) {
      expect(arrivalTimes(arrivals, 7)).toEqual(arrivalTimes(arrivals, 7));
      expect(arrivalTimes(arrivals, 7)).not.toEqual(arrivalTimes(arrivals, 8));
    }
  });

  it('spreads the gaps of moderate arrivals over 50–150 % of the interval', () => {
    const times = arrivalTimes({ pattern: 'moderate', rate: 2, duration: 500 }, 1);
    const gaps = times.slice(1).map((time, n) => time - times[n]!);
    expect(times).toHaveLength(1_000);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(0.25);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(0.75);
    expect(Math.max(...gaps) - Math.min(...gaps)).toBeGreaterThan(0.4);
  });

  it.each(['steady', 'moderate', 'poisson'] as const)('returns as many %s arrivals as the rate specifies', (pattern) => {
    const count = seeds.reduce((sum, seed) => sum + arrivalTimes({ pattern, rate: 5, duration: 100 }, seed).length, 0);
    // The count of a Poisson process is 10 000 ± 4 σ.
    expect(Math.abs(count - 5 * 100 * seeds.length)).toBeLessThan(400);
  });

  it('rejects a load with too many arrivals', () => {
    expect(() => arrivalTimes({ pattern: 'steady', rate: 1e6, duration: 3_600 }, 1)).toThrow(/the maximum is 1000000/);
  });
});

describe('a Poisson process', () => {
  // Random time change theorem: measured in expected arrivals, the gaps of a Poisson process are exponential with mean 1.
  const rescaled = (times: readonly number[], expected: (time: number) => number): number[] =>
    times.map((time, n) => 1 - Math.exp(-(expected(time) - expected(times[n - 1] ?? 0))));
  /** Number of seeds rejected at 5 %. Under the null hypothesis, more than 4 of 20 have a probability of 0.003. */
  const rejected = (arrivals: Arrivals, expected: (time: number) => number): number =>
    seeds.filter((seed) => kolmogorov(rescaled(arrivalTimes(arrivals, seed), expected)) < 0.05).length;

  const homogeneous: Arrivals = { pattern: 'poisson', rate: 5, duration: 200 };

  it('draws exponentially distributed gaps', () => {
    expect(rejected(homogeneous, (time) => 5 * time)).toBeLessThanOrEqual(4);
  });

  it('follows the rate of a trace', () => {
    expect(rejected(trace, (time) => expectedArrivals(day.steps, time))).toBeLessThanOrEqual(4);
  });

  it('differs measurably from another rate, a constant rate and steady arrivals', () => {
    expect(rejected(homogeneous, (time) => 6 * time)).toBeGreaterThanOrEqual(18);
    expect(rejected(trace, (time) => meanRate(trace) * time)).toBe(20);
    expect(rejected({ pattern: 'steady', rate: 5, duration: 200 }, (time) => 5 * time)).toBe(20);
  });
});

describe('parseTrace', () => {
  it('skips blank lines, which count in the number of a line', () => {
    const steps = [{ from: 0, rate: 1 }];
    expect(parseTrace('\ufefftime,rps\r\n\r\n0,1\n  \n5,0\n\n')).toEqual({ steps, duration: 5 });
    expect(() => parseTrace('time,rps\n\n0,1\n\n5,x')).toThrow(/line 5/);
  });

  it.each([
    ['time;rps\n0;1', /header/],
    ['time,rps\n0,1', /at least two/],
    ['time,rps\n1,1\n2,1', /start at 0/],
    ['time,rps\n0,1\n5,2\n5,1', /line 4.*ascend/],
    ['time,rps\n0,-1\n5,1', /line 2.*at least 0/],
    ['time,rps\n0,\n5,1', /line 2/],
    ['time,rps\n0,0\n5,0', /every rate is 0/],
  ])('rejects %j', (text, why) => {
    expect(() => parseTrace(text)).toThrow(why);
  });
});
