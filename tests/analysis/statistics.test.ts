import { describe, expect, it } from 'vitest';
import { randomOf } from '../../shared/core/random.ts';
import {
  cliffsDelta,
  difference,
  correctHolm,
  bootstrapInterval,
  magnitude,
  meanOf,
  permutationTest,
  createQuantile,
  type Stratum,
} from '../../analysis/measures/statistics.ts';

const values = [812, 455, 390, 1204, 610, 999, 733, 421, 388, 2750, 640, 515];

// Expected values are from numpy 2 and scipy 1: quantile(values, p), permutation_test over all arrangements, mannwhitneyu.

it('computes the quantiles of numpy', () => {
  const quantiles = [0.5, 0.9, 0.95, 0.99].map((p) => createQuantile(p)(values));
  for (const [n, expected] of [625, 1183.5, 1899.7, 2579.94].entries()) expect(quantiles[n]).toBeCloseTo(expected, 6);
});

describe('permutationTest', () => {
  it('estimates the exact p value within sampling error', () => {
    const a = [5.1, 7.0, 6.2, 5.8];
    const { p, least } = permutationTest([[a, [7.4, 5.5, 8.1, 6.0]]]);
    expect(Math.abs(p - 24 / 70)).toBeLessThan(0.02);
    expect(least).toBeCloseTo(2 / 70, 10);
  });

  it('reports separated groups with a p value of at least the smallest possible one', () => {
    const a = [5.1, 4.9, 6.2, 5.8];
    const { p, least } = permutationTest([[a, [7.4, 6.9, 8.1, 7.7]]]);
    expect(p).toBeGreaterThan(least * 0.8);
    expect(Math.abs(p - 2 / 70)).toBeLessThan(0.01);
  });

  it('detects a difference that is smaller than the differences between strata', () => {
    const strata = [0, 100, 1_000].map((load) => [1, 2].map((regime) => [0, 0.1, 0.2].map((noise) => load + regime + noise)));
    expect(permutationTest(strata as unknown as Stratum[]).p).toBeLessThan(0.003);
  });

  it('returns 1 for equal values', () => {
    expect(permutationTest([[Array<number>(3).fill(3), Array<number>(3).fill(3)]]).p).toBe(1);
  });

  it('rejects a true null hypothesis no more often than its level', () => {
    const random = randomOf(7).next;
    const draw = (): number[] => Array.from({ length: 5 }, () => random() ** 3);
    const wrong = Array.from({ length: 120 }, () => permutationTest([[draw(), draw()]]).p).filter((p) => p < 0.05).length;
    // The expectation is 6; the probability of more than 14 is 1/1000.
    expect(wrong).toBeLessThanOrEqual(14);
  });
});

describe('bootstrapInterval', () => {
  it('returns equal intervals for equal values', () => {
    expect(bootstrapInterval([values, values], meanOf)).toEqual(bootstrapInterval([values, values], meanOf));
  });

  it('is wider if cells differ than if the same values are spread over all cells', () => {
    const levels = [1, 5, 9];
    const noise = [0, 0.1, -0.1];
    const apart = bootstrapInterval(
      levels.map((level) => noise.map((each) => level + each)),
      meanOf,
    );
    const mixed = bootstrapInterval(
      noise.map((each) => levels.map((level) => level + each)),
      meanOf,
    );
    expect(apart.high - apart.low).toBeGreaterThan(1.3 * (mixed.high - mixed.low));
  });

  it('covers the true mean about as often as its level if cells differ', () => {
    const random = randomOf(11).next;
    const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const study = (): number[][] =>
      Array.from({ length: 5 }, () => {
        const effect = normal();
        return Array.from({ length: 10 }, () => effect + normal());
      });
    const held = Array.from({ length: 60 }, () => bootstrapInterval(study(), meanOf)).filter(
      ({ low, high }) => low <= 0 && high >= 0,
    ).length;
    // With only five cells, the coverage of percentile intervals is somewhat below 95 %.
    expect(held).toBeGreaterThanOrEqual(48);
  });

  it('has NaN bounds if a group is empty', () => {
    const contrast = difference([[[1, 2]], [[]]], ([a = [], b = []]) => meanOf(b) - meanOf(a));
    expect(contrast).toEqual({ value: NaN, low: NaN, high: NaN });
  });
});

it('corrects p values by the number of remaining tests without changing their order', () => {
  expect(correctHolm([0.01, 0.04, 0.03, 0.005])).toEqual([0.03, 0.06, 0.06, 0.02]);
  expect(correctHolm([0.9, 0.8])).toEqual([1, 1]);
});

it('computes the Cliff’s delta of scipy, including ties', () => {
  expect(cliffsDelta([1, 2, 2, 3, 5, 8, 9], [2, 4, 4, 6, 7, 9, 10, 11])).toBeCloseTo((2 * 15.5) / 56 - 1, 10);
  expect(cliffsDelta([4, 5], [1, 2])).toBe(1);
  expect([magnitude(0.1), magnitude(-0.2), magnitude(0.4), magnitude(-1)]).toEqual(['negligible', 'small', 'medium', 'large']);
});
