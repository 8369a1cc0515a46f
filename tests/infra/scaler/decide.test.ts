import { describe, expect, it } from 'vitest';
import { decide, dueAt, initialState, type Rules, type ScalerState } from '../../../infra/scaler/decide.ts';

const rules: Rules = {
  min: 0,
  max: 4,
  lag_target: 2,
  idle_s: 10,
  memory_mb: 512,
  polling_s: 2,
  hpa_sync_s: 5,
  tolerance: 0.1,
};

/** Returns the state of a stage with a number of replicas before its poll at time 0. */
const at = (replicas: number, overrides: Partial<ScalerState> = {}): ScalerState => ({
  ...initialState(rules, 0),
  replicas,
  ...overrides,
});
const onPoll = { nextPoll: 0, nextSync: 1e9 };
const onSync = { nextPoll: 1e9, nextSync: 0 };

/** Returns the desired replicas after one poll. */
const after = (state: ScalerState, lags: number[], now = 0, overrides: Partial<Rules> = {}): number =>
  decide({ ...rules, ...overrides }, state, lags, now).state.replicas;

describe('operator', () => {
  it.each([
    ['starts one replica for a queued item', at(0, onPoll), [1, 0], 1],
    ['starts one replica for an item in the other lane', at(0, onPoll), [0, 1], 1],
    ['starts only one replica for many items', at(0, onPoll), [50, 0], 1],
    ['starts no replica without items', at(0, onPoll), [0, 0], 0],
    ['leaves further replicas to the autoscaler', at(1, onPoll), [50, 0], 1],
    ['keeps replicas within the idle time', at(3, { ...onPoll, lastActive: -9_999 }), [0, 0], 3],
    ['stops all replicas after the idle time', at(3, { ...onPoll, lastActive: -10_000 }), [0, 0], 0],
    ['keeps replicas with an item in progress', at(1, { ...onPoll, lastActive: -1e6 }), [1, 0], 1],
  ])('%s', (_, state, lags, expected) => {
    expect(after(state, lags)).toBe(expected);
  });

  it('keeps the minimum of replicas', () => {
    expect(after(at(0, onPoll), [0], 0, { min: 2 })).toBe(2);
    expect(after(at(0, onPoll), [9], 0, { min: 2 })).toBe(2);
    expect(after(at(2, { ...onPoll, lastActive: -1e6 }), [0], 0, { min: 2 })).toBe(2);
  });
});

describe('autoscaler', () => {
  it.each([
    ['rounds up', at(1, onSync), [5, 0], 3],
    ['uses the highest trigger instead of the sum', at(1, onSync), [5, 4], 3],
    ['scales to the maximum only', at(1, onSync), [100, 0], 4],
    ['starts no replica at zero replicas', at(0, onSync), [100, 0], 0],
    ['keeps the last replica', at(2, onSync), [0, 0], 1],
    ['scales down to the highest recommendation of the window', at(4, onSync), [4, 0], 2],
  ])('%s', (_, state, lags, expected) => {
    expect(after(state, lags)).toBe(expected);
  });

  it('ignores deviations up to 10 %', () => {
    expect(after(at(10, onSync), [22], 0, { max: 20 })).toBe(10); // 1.1 of the target
    expect(after(at(10, onSync), [23], 0, { max: 20 })).toBe(12);
    expect(after(at(10, onSync), [18], 0, { max: 20 })).toBe(10);
    expect(after(at(10, onSync), [17], 0, { max: 20 })).toBe(9);
  });

  it('scales down to the highest recommendation within the idle time and reports it', () => {
    const busy = decide(rules, at(4, onSync), [8, 0], 0).state;
    const calmer = decide(rules, busy, [6, 0], 5_000).state;
    const calm = decide(rules, calmer, [0, 0], 9_000 + 1_000).state;
    expect([busy.replicas, calmer.replicas, calm.replicas]).toEqual([4, 4, 3]);
    const { decisions } = decide(rules, calm, [0, 0], 15_000);
    expect(decisions).toEqual([
      { from: 3, to: 1, lag: 0, reason: 'at most 0 replicas were required for 10 s; the minimum is 1' },
    ]);
  });

  it('reports the required replicas and the bound', () => {
    const [decision] = decide(rules, at(1, onSync), [3, 11], 0).decisions;
    expect(decision).toEqual({
      from: 1,
      to: 4,
      lag: 11,
      reason: 'the lag requires 6 replicas with 2 items each; the maximum is 4',
    });
  });
});

describe('intervals', () => {
  it('decides nothing between two polls', () => {
    const state = at(0, { nextPoll: 2_000, nextSync: 5_000 });
    expect(decide(rules, state, [9], 1_999)).toEqual({ state, decisions: [] });
  });

  it('skips missed polls and keeps the interval', () => {
    const { state } = decide(rules, at(0, { nextPoll: 0, nextSync: 0 }), [0], 6_500);
    expect(state).toMatchObject({ nextPoll: 8_000, nextSync: 10_000 });
    expect(dueAt(state)).toBe(8_000);
  });

  it('starts the first replica by the operator and the rest by the autoscaler when both are due', () => {
    const { decisions } = decide(rules, at(0), [8], 0);
    expect(decisions.map(({ from, to }) => [from, to])).toEqual([
      [0, 1],
      [1, 4],
    ]);
  });
});

/**
 * Simulates a queue that replicas process, in steps of 100 ms. @param phase Time from the publication to the first poll, in
 * milliseconds.
 * @returns Times of the first occurrence of each condition, in seconds after the publication.
 */
function run(of: Rules, { items, work_s, start_s, phase }: { items: number; work_s: number; start_s: number; phase: number }) {
  let state = initialState(of, phase);
  let waiting = items;
  /** For each replica, the times at which it becomes ready and at which its item is done. */
  let replicas: { ready: number; until: number }[] = [];
  const seen: Record<'one' | 'most' | 'drained' | 'none', number | undefined> = {
    one: undefined,
    most: undefined,
    drained: undefined,
    none: undefined,
  };
  for (let now = 0; now < 120_000 && seen.none === undefined; now += 100) {
    for (const replica of replicas) {
      if (now < replica.ready || now < replica.until || waiting === 0) continue;
      waiting -= 1;
      replica.until = now + work_s * 1_000;
    }
    const lag = waiting + replicas.filter(({ until }) => until > now).length;
    if (lag === 0) seen.drained ??= now / 1_000;
    if (now < dueAt(state)) continue;
    ({ state } = decide(of, state, [lag], now));
    while (replicas.length < state.replicas) replicas.push({ ready: now + start_s * 1_000, until: 0 });
    replicas = replicas.slice(0, state.replicas);
    if (state.replicas === 1) seen.one ??= now / 1_000;
    if (state.replicas === of.max) seen.most ??= now / 1_000;
    if (state.replicas === 0 && seen.one !== undefined) seen.none = now / 1_000;
  }
  return seen;
}

describe('compared with KEDA 2.18 on Kubernetes 1.34 (polling 2 s, idle 10 s, sync 5 s, threshold 1, at most 4)', () => {
  const real: Rules = { ...rules, lag_target: 1 };

  it('reproduces one item of 0.5 s: one replica after 0.30–1.91 s, none after 11.1 s', () => {
    for (const phase of [300, 1_100, 1_900]) {
      const { one, none } = run(real, { items: 1, work_s: 0.5, start_s: 0.5, phase });
      expect(one).toBe(phase / 1_000);
      // Seen active for the last time at the poll that started it; the next that finds 10 s gone by ends it.
      expect(none).toBeGreaterThanOrEqual(phase / 1_000 + 10);
      expect(none).toBeLessThanOrEqual(phase / 1_000 + 12);
    }
  });

  it('reproduces 24 items of 3 s: four replicas after 2.4 s, drained after 21 s', () => {
    // In KEDA the sync follows the poll by 1.3 s. Here both start together, so it comes within one sync.
    const { most, drained } = run(real, { items: 24, work_s: 3, start_s: 0.5, phase: 1_100 });
    expect(most).toBeLessThanOrEqual(1.1 + 5);
    expect(drained).toBeGreaterThan(18);
    expect(drained).toBeLessThan(22);
  });
});
