import { describe, expect, it } from 'vitest';
import { computeWaits, isFair, type SettledItem } from './waits.ts';

/** An item that started at `at` (s) after a wait, and took one second. */
const item = (request_id: string, item: string, at: number, waited = 0, stage = 's'): SettledItem => ({
  request_id,
  stage,
  item,
  queue_ms: waited * 1_000,
  duration_ms: 1_000,
  settledAtMs: (at + 1) * 1_000,
});

describe('computeWaits', () => {
  it('counts items that started while an item waited, by lane', () => {
    const items = [
      item('bomb', 'clip_0100', 9.5),
      item('bomb', 'clip_0008', 10.5),
      item('bomb', 'clip_0009', 11.5),
      item('bomb', 'batch_0001', 11.6),
      item('bomb', 'clip_0101', 11.7, 0, 'other'),
      item('own', 'clip_0001', 12, 2),
      item('bomb', 'clip_0102', 12.5),
    ];
    expect(computeWaits(items, 'own')).toEqual([{ stage: 's', item: 'clip_0001', waitedMs: 2_000, first: 2, later: 1 }]);
  });
});

describe('isFair', () => {
  it.each([
    [{ first: 0, later: 1 }, true],
    [{ first: 0, later: 2 }, false],
    [{ first: 7, later: 2 }, true],
    [{ first: 7, later: 3 }, false],
  ])('compares the turns of later lanes with those of the first: %o', (turns, expected) => {
    expect(isFair({ stage: 's', item: 'i', waitedMs: 0, ...turns })).toBe(expected);
  });
});
