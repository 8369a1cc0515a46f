import { randomUUID } from 'node:crypto';
import { quantile } from 'd3-array';
import { describe, expect, it } from 'vitest';
import type { LoadRecord } from '../../schemas/generated/types.ts';
import { arrivalTimes } from '../../loadgen/arrivals/arrivals.ts';
import { runLoad, type LoadOptions } from '../../loadgen/run/load.ts';
import { createSummary } from '../../loadgen/record/summary.ts';
import type { Target } from '../../loadgen/targets/target.ts';
import { createNullTarget, createStallingTarget } from '../../loadgen/targets/local.ts';
import type { RequestEvent } from '../../shared/bus/request-events.ts';
import { validate } from '../../shared/core/validate.ts';
import { createVirtualClock } from './virtual-clock.ts';

const video = { name: 'a.mp4', path: '/a.mp4', weight: 1, sha256: '', size: 1 };

/** Runs a load on a virtual clock. */
async function run(options: Partial<LoadOptions> & Pick<LoadOptions, 'schedule' | 'target' | 'clock'>): Promise<LoadRecord[]> {
  const records: LoadRecord[] = [];
  const record: LoadOptions['record'] = (each) => records.push(validate('loadRecord', each));
  await runLoad({ videos: [video], seed: 1, wait: 60, signal: new AbortController().signal, record, ...options });
  return records;
}

const latencies = (records: readonly LoadRecord[]): number[] => records.map(({ latency_ms }) => latency_ms ?? NaN);

describe('runLoad against a target that stalls 30 % of the time', () => {
  const stall = { period: 10_000, share: 0.3, service: 5 };
  /** Latency quantiles: 70 % of arrivals find the target responsive; the others wait for a uniformly distributed time of up to 3 s. */
  const truth = (p: number): number => 5 + Math.max(0, 3_000 * ((p - 0.7) / 0.3));

  it.each(['poisson', 'moderate'] as const)('reports the true latency quantiles for %s arrivals', async (pattern) => {
    const clock = createVirtualClock();
    const times = arrivalTimes({ pattern, rate: 19, duration: 300 }, 1);
    const seen = latencies(await run({ clock, target: createStallingTarget(clock, stall), schedule: { times, duration: 300 } }));
    expect(seen).toHaveLength(times.length);
    // With 5 700 arrivals, σ of a quantile of the uniform part is 3 000 / 0.3 · √(p(1 − p)/n) = 57 ms at p = 0.75.
    for (const p of [0.5, 0.75, 0.9, 0.95, 0.99]) expect(Math.abs(quantile(seen, p)! - truth(p))).toBeLessThan(p < 0.7 ? 1 : 200);
  });

  it('underestimates latency in a closed loop, which meets each stall only once', async () => {
    const clock = createVirtualClock();
    const schedule = { users: 1, think: 1 / 19, duration: 300 };
    const seen = latencies(await run({ clock, target: createStallingTarget(clock, stall), schedule }));
    expect(quantile(seen, 0.95)).toBeLessThan(10); // the truth is 2 505 ms
    expect(truth(0.95)).toBeGreaterThan(2_000);
  });
});

describe('runLoad with an open loop', () => {
  it('sends requests at their planned times if the target never responds', async () => {
    const clock = createVirtualClock();
    const times = [0, 0.25, 0.25, 3];
    const never: Target = {
      open: () => Promise.resolve(),
      send: () => new Promise(() => undefined),
      close: () => Promise.resolve(),
    };
    const records = await run({ clock, target: never, schedule: { times, duration: 4 }, wait: 2 });
    const begun = Date.parse(records[0]!.intended);
    expect(records.map(({ intended }) => (Date.parse(intended) - begun) / 1_000)).toEqual(times);
    expect(records.map(({ late_ms }) => late_ms)).toEqual([0, 0, 0, 0]);
    expect(records.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    expect(new Set(records.map(({ status }) => status))).toEqual(new Set(['unfinished']));
  });

  it('records late_ms and measures latency from the planned arrival', async () => {
    const clock = createVirtualClock();
    let slept = false;
    const oversleeping = {
      ...clock,
      until: (time: number, signal?: AbortSignal) => {
        const late = slept ? 0 : 40;
        slept = true;
        return clock.until(time + late, signal);
      },
    };
    const [record] = await run({ clock: oversleeping, target: createNullTarget(clock), schedule: { times: [0], duration: 1 } });
    expect(record).toMatchObject({ late_ms: 40, latency_ms: 40 });
  });

  it('stops on abort and records open requests as unfinished', async () => {
    const clock = createVirtualClock();
    const stop = new AbortController();
    const records: LoadRecord[] = [];
    const record: LoadOptions['record'] = (each) => {
      records.push(each);
      if (records.length === 5) stop.abort();
    };
    const target = createStallingTarget(clock, { period: 1_000, share: 0, service: 2_500 });
    const times = arrivalTimes({ pattern: 'steady', rate: 1, duration: 100 }, 1);
    await run({ clock, target, schedule: { times, duration: 100 }, signal: stop.signal, record });
    // The fifth completes at 6.5 s, after the requests of 5 s and 6 s were sent.
    expect(records.map(({ status }) => status)).toEqual([...Array<string>(5).fill('completed'), 'unfinished', 'unfinished']);
    expect(createSummaryOf(records)).toMatchObject({ requests: 7, completed: 5, unfinished: 2 });
  });

  it('rejects with the error that ended the event subscription', async () => {
    const clock = createVirtualClock();
    const target: Target = {
      ...createNullTarget(clock),
      open: (_, failed) => {
        failed(new Error('the stream is gone'));
        return Promise.resolve();
      },
    };
    await expect(run({ clock, target, schedule: { times: [0, 1], duration: 5 } })).rejects.toThrow('the stream is gone');
  });
});

describe('runLoad with a closed loop', () => {
  it('pauses each user for the think time after a response', async () => {
    const clock = createVirtualClock();
    const target = createStallingTarget(clock, { period: 1_000, share: 0, service: 1_000 });
    const records = await run({ clock, target, schedule: { users: 3, think: 1, duration: 10 } });
    for (const user of [0, 1, 2]) {
      const mine = records.filter((record) => record.user === user);
      const begun = Date.parse(mine[0]!.intended);
      expect(mine.map(({ intended }) => Date.parse(intended) - begun)).toEqual([0, 2_000, 4_000, 6_000, 8_000]);
    }
  });
});

describe('a load record', () => {
  it('counts repeated item events once and contains the reason of a failure', async () => {
    const clock = createVirtualClock();
    const id: string[] = [];
    let take: (event: RequestEvent) => void = () => undefined;
    const target: Target = {
      open: (taking) => {
        take = taking;
        return Promise.resolve();
      },
      send: (sending) => {
        id.push(sending.id);
        tell(sending.id);
        return Promise.resolve();
      },
      close: () => Promise.resolve(),
    };
    const time = new Date(clock.now() + 1_100).toISOString();
    const item = {
      run: 1,
      stage: 's',
      outputs: [],
      deliveries: 1,
      duration_ms: 10,
      queue_ms: 1,
      cold_start: true,
      cost_unit: 0.1,
    };
    const tell = (request_id: string): void => {
      const items = [
        { ...item, item: 'a', outcome: 'done' },
        { ...item, item: 'a', outcome: 'skipped', duration_ms: 0 },
        { ...item, item: 'b', outcome: 'failed', deliveries: 3 },
      ] as const;
      for (const each of items) take({ type: 'item', time, data: { request_id, ...each, outputs: [] } });
      take({ type: 'item', time, data: { request_id: randomUUID(), ...items[0], outputs: [] } });
      const errors = [{ code: 'broken', message: 'it is broken', file: 'x' }];
      take({ type: 'lifecycle', name: 'failed', time, data: { request_id, run: 1, status: 'failed', errors } });
    };
    const [record] = await run({ clock, target, schedule: { times: [0], duration: 1 } });
    expect(record).toMatchObject({
      status: 'failed',
      error: 'broken: it is broken',
      errors: 1,
      cold_starts: 2,
      latency_ms: 1_000,
    });
    expect(record!.stages['s']).toMatchObject({ items: 2, failed: 1, redelivered: 1, duration_ms: 20, cost_unit: 0.2 });
  });

  it('contains the error of a failed upload', async () => {
    const clock = createVirtualClock();
    const target = { ...createNullTarget(clock), send: () => Promise.reject(new Error('no space')) };
    const [record] = await run({ clock, target, schedule: { times: [0], duration: 1 } });
    expect(record).toMatchObject({
      status: 'error',
      error: 'unexpected: no space',
      uploaded: null,
      completed: null,
      latency_ms: null,
    });
  });
});

function createSummaryOf(records: readonly LoadRecord[]): object {
  const summary = createSummary();
  records.forEach(summary.add);
  return summary.summary();
}
