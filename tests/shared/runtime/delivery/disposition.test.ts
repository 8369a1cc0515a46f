import { describe, expect, it } from 'vitest';
import {
  dispositionOf,
  settle,
  type Acknowledger,
  type Disposition,
  type Outcome,
} from '../../../../shared/runtime/delivery/disposition.ts';
import { MAX_DELIVERIES } from '../../../../shared/bus/topology.ts';

describe('dispositionOf', () => {
  it.each<[Outcome, Disposition]>([
    ['done', { type: 'ack' }],
    ['reused', { type: 'ack' }],
    ['skipped', { type: 'ack' }],
    ['requeued', { type: 'ack' }],
    ['retry', { type: 'nak', delayMs: 2_000 }],
    ['released', { type: 'nak' }],
    ['failed', { type: 'term' }],
    ['cancelled', { type: 'term' }],
  ])('maps the outcome %s of a second delivery to %j', (outcome, disposition) => {
    expect(dispositionOf({ outcome }, { deliveries: 2 })).toEqual(disposition);
  });

  it('increases the retry delay with each delivery, to more than ten minutes in total', () => {
    const delays = Array.from(
      { length: MAX_DELIVERIES - 1 },
      (_, n) => dispositionOf({ outcome: 'retry' }, { deliveries: n + 1 }) as Extract<Disposition, { type: 'nak' }>,
    ).map(({ delayMs }) => delayMs!);
    expect(delays).toEqual([...delays].sort((a, b) => a - b));
    expect(delays[0]).toBe(1_000);
    expect(delays.reduce((sum, delay) => sum + delay)).toBeGreaterThan(10 * 60_000);
  });

  it('multiplies the retry delay by the factor', () => {
    expect(dispositionOf({ outcome: 'retry' }, { deliveries: 1 }, 0.01)).toEqual({ type: 'nak', delayMs: 10 });
  });
});

describe('settle', () => {
  it.each<[Disposition, unknown[]]>([
    [{ type: 'ack' }, ['ackAck']],
    [{ type: 'nak', delayMs: 2_000 }, ['nak', 2_000]],
    [{ type: 'nak' }, ['nak', undefined]],
    [{ type: 'term' }, ['term']],
  ])('sends exactly one acknowledgement for %j', async (disposition, expected) => {
    const calls: unknown[][] = [];
    const delivery: Acknowledger = {
      ackAck: () => (calls.push(['ackAck']), Promise.resolve(true)),
      nak: (...delay) => void calls.push(['nak', ...delay]),
      term: (...reason) => void calls.push(['term', ...reason]),
    };
    await settle(delivery, disposition);
    expect(calls).toEqual([expected]);
  });
});
