import { expect, test } from 'vitest';
import { atLeast, atMost, median, summarize } from '../../bench/report/figures.ts';

test('summarizes values without sorting them in place', () => {
  const values = [3, 1, 2];
  expect(summarize(values)).toEqual({ n: 3, p50: 2, p90: 2.8, p99: 2.98, max: 3 });
  expect(values).toEqual([3, 1, 2]);
});

test('reports a target without a measurement as missed', () => {
  expect([atMost('ms', median([]), 6).met, atLeast('a second', median([]), 0).met]).toEqual([false, false]);
});

test('reports a target as met up to and including its limit', () => {
  expect([atMost('ms', 6, 6).met, atMost('ms', 6.0001, 6).met]).toEqual([true, false]);
  expect([atLeast('a second', 2_000, 2_000).met, atLeast('a second', 1_999.9, 2_000).met]).toEqual([true, false]);
});
