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
} from '../../analysis/measures/statistics.ts';

// Thousands of resamples; the machine may be busy with other test files.
const values = [812, 455, 390, 1204, 610, 999, 733, 421, 388, 2750, 640, 515];

/** Of numpy 2 and scipy 1: quantile(values, p), permutation_test over all arrangements, mannwhitneyu. */
const elsewhere = {
  quantiles: [
    [0.5, 625],
    [0.9, 1183.5],
    [0.95, 1899.7],
    [0.99, 2579.94],
  ],
} as const;

it.each(elsewhere.quantiles)('the quantile %d is numpy’s', (p, expected) => {
  expect(createQuantile(p)(values)).toBeCloseTo(expected, 6);
});

describe('permutationTest', () => {
  it('comes to the p of all arrangements, within what chance allows', () => {
    const { p, least } = permutationTest([
      [
        [5.1, 7.0, 6.2, 5.8],
        [7.4, 5.5, 8.1, 6.0],
      ],
    ]);
    expect(Math.abs(p - 24 / 70)).toBeLessThan(0.02);
    expect(least).toBeCloseTo(2 / 70, 10);
  });

  it('finds groups apart, and not below what so few runs can give', () => {
    const { p, least } = permutationTest([
      [
        [5.1, 4.9, 6.2, 5.8],
        [7.4, 6.9, 8.1, 7.7],
      ],
    ]);
    expect(p).toBeGreaterThan(least * 0.8);
    expect(Math.abs(p - 2 / 70)).toBeLessThan(0.01);
  });

  it('sees through loads that differ more than regimes do', () => {
    const strata = [
      [
        [1.0, 1.1, 1.2],
        [2.0, 2.1, 2.2],
      ],
      [
        [101, 101.1, 101.2],
        [102, 102.1, 102.2],
      ],
      [
        [1001, 1001.1, 1001.2],
        [1002, 1002.1, 1002.2],
      ],
    ] as const;
    expect(permutationTest(strata).p).toBeLessThan(0.003);
  });

  it('says 1 where everything is equal', () => {
    expect(
      permutationTest([
        [
          [3, 3, 3],
          [3, 3, 3],
        ],
      ]).p,
    ).toBe(1);
  });

  it('is wrong as often as its level says when there is nothing to find', () => {
    const random = randomOf(7).next;
    const draw = (): number[] => Array.from({ length: 5 }, () => random() ** 3);
    const wrong = Array.from({ length: 120 }, () => permutationTest([[draw(), draw()]]).p).filter((p) => p < 0.05).length;
    // 6 expected; more than 14 come by chance once in a thousand times.
    expect(wrong).toBeLessThanOrEqual(14);
  });
});

describe('interval', () => {
  it('gives the same for the same values', () => {
    expect(bootstrapInterval([values, values], meanOf)).toEqual(bootstrapInterval([values, values], meanOf));
  });

  it('is wider where runs differ than where the same values are mixed', () => {
    const apart = bootstrapInterval(
      [
        [1, 1.1, 0.9],
        [5, 5.1, 4.9],
        [9, 9.1, 8.9],
      ],
      meanOf,
    );
    const mixed = bootstrapInterval(
      [
        [1, 5, 9],
        [1.1, 5.1, 9.1],
        [0.9, 4.9, 8.9],
      ],
      meanOf,
    );
    expect(apart.high - apart.low).toBeGreaterThan(1.3 * (mixed.high - mixed.low));
  });

  it('holds the truth about as often as it says, with runs that differ', () => {
    const random = randomOf(11).next;
    const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const study = (): number[][] =>
      Array.from({ length: 5 }, () => {
        const mood = normal();
        return Array.from({ length: 10 }, () => mood + normal());
      });
    const held = Array.from({ length: 60 }, () => bootstrapInterval(study(), meanOf)).filter(
      ({ low, high }) => low <= 0 && high >= 0,
    ).length;
    // Five runs are few: percentile intervals hold the truth somewhat less often than in 95 of 100 cases.
    expect(held).toBeGreaterThanOrEqual(48);
  });

  it('has no bounds where a group has no values', () => {
    expect(difference([[[1, 2]], [[]]], ([a = [], b = []]) => meanOf(b) - meanOf(a))).toEqual({
      value: NaN,
      low: NaN,
      high: NaN,
    });
  });
});

it('Holm’s correction multiplies by the number of what is left, and never goes down', () => {
  expect(correctHolm([0.01, 0.04, 0.03, 0.005])).toEqual([0.03, 0.06, 0.06, 0.02]);
  expect(correctHolm([0.9, 0.8])).toEqual([1, 1]);
});

it('Cliff’s delta is that of scipy’s U, ties included', () => {
  const [a, b] = [
    [1, 2, 2, 3, 5, 8, 9],
    [2, 4, 4, 6, 7, 9, 10, 11],
  ] as const;
  expect(cliffsDelta(a, b)).toBeCloseTo((2 * 15.5) / 56 - 1, 10);
  expect(cliffsDelta([4, 5], [1, 2])).toBe(1);
  expect([magnitude(0.1), magnitude(-0.2), magnitude(0.4), magnitude(-1)]).toEqual(['negligible', 'small', 'medium', 'large']);
});
