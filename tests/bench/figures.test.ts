import { expect, test } from 'vitest';
import { atLeast, atMost, quantile, summary } from './figures.ts';

test('quantiles are interpolated as R and NumPy do it', () => {
  const values = [15, 20, 35, 40, 50];
  expect(quantile(values, 0)).toBe(15);
  expect(quantile(values, 0.4)).toBeCloseTo(29, 9); // numpy.quantile([15, 20, 35, 40, 50], 0.4)
  expect(quantile(values, 0.5)).toBe(35);
  expect(quantile(values, 1)).toBe(50);
});

test('the order of the values does not matter, and they are left alone', () => {
  const values = [3, 1, 2];
  expect(summary(values)).toEqual({ n: 3, p50: 2, p90: 2.8, p99: 2.98, max: 3 });
  expect(values).toEqual([3, 1, 2]);
});

test('nothing has no quantile', () => {
  expect(() => quantile([], 0.5)).toThrow('nothing');
});

test('a target is met up to its limit, and not beyond', () => {
  expect([atMost('ms', 6, 6).met, atMost('ms', 6.0001, 6).met]).toEqual([true, false]);
  expect([atLeast('a second', 2_000, 2_000).met, atLeast('a second', 1_999.9, 2_000).met]).toEqual([true, false]);
});
