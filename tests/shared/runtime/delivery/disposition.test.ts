import { describe, expect, it } from 'vitest';
import { NotFoundError, PermanentError, RetryableError, UnavailableError } from '../../../../shared/core/errors.ts';
import { dispositionOf, settle, type Acknowledger, type Disposition } from '../../../../shared/runtime/delivery/disposition.ts';
import { MAX_DELIVERIES } from '../../../../shared/bus/topology.ts';

const permanent = new PermanentError('no-content', 'bad');
const retryable = new RetryableError('object-changed', 'later');
const away = new UnavailableError('bus-unavailable', 'away');
const missing = new NotFoundError('missing-object', 'gone');
const unknown = new TypeError('x is not a function');
const usual = { deliveries: 1, stopping: false, cancelled: false };

describe('a failed attempt', () => {
  it.each([
    ['a permanent error ends the item', permanent, {}, 'failed'],
    ['a retryable error does not', retryable, {}, 'retry'],
    ['nor does an unknown one', unknown, {}, 'retry'],
    ['nor something thrown that is no error', 'text', {}, 'retry'],
    ['nor a server that is away', away, {}, 'retry'],
    ['nor an object that is missing, once or thrice', missing, { deliveries: 3 }, 'retry'],
    ['what is missing the fourth time is gone', missing, { deliveries: 4 }, 'failed'],
    ['the last delivery ends it', retryable, { deliveries: MAX_DELIVERIES }, 'failed'],
    ['and so does one beyond the last', unknown, { deliveries: MAX_DELIVERIES + 5 }, 'failed'],
    ['but never because a server is away', away, { deliveries: MAX_DELIVERIES }, 'requeued'],
    ['a process that stops gives the item back, whatever went wrong', permanent, { stopping: true }, 'released'],
    ['also on the last delivery', retryable, { stopping: true, deliveries: MAX_DELIVERIES }, 'released'],
    ['a cancelled request’s item is dropped', retryable, { cancelled: true }, 'cancelled'],
  ])('%s', (_, error, given, outcome) => {
    expect(dispositionOf(error, { ...usual, ...given }).outcome).toBe(outcome);
  });

  it('is repeated ever later, over ten minutes or more', () => {
    const delays = Array.from(
      { length: MAX_DELIVERIES - 1 },
      (_, n) => dispositionOf(retryable, { ...usual, deliveries: n + 1 }) as Extract<Disposition, { outcome: 'retry' }>,
    ).map(({ delay }) => delay);
    expect(delays).toEqual([...delays].sort((a, b) => a - b));
    expect(delays[0]).toBe(1_000);
    expect(delays.reduce((sum, delay) => sum + delay)).toBeGreaterThan(10 * 60_000);
  });
});

describe('an outcome is told with one verb', () => {
  it.each<[Disposition, unknown[]]>([
    [{ outcome: 'done' }, ['ackAck']],
    [{ outcome: 'reused' }, ['ackAck']],
    [{ outcome: 'skipped' }, ['ackAck']],
    [{ outcome: 'requeued', error: away }, ['ackAck']],
    [{ outcome: 'retry', delay: 2_000, error: retryable }, ['nak', 2_000]],
    [{ outcome: 'released' }, ['nak']],
    [{ outcome: 'failed', error: permanent }, ['term', 'why']],
    [{ outcome: 'cancelled' }, ['term', 'why']],
  ])('%j', async (outcome, verb) => {
    const told: unknown[][] = [];
    const message: Acknowledger = {
      ackAck: () => (told.push(['ackAck']), Promise.resolve(true)),
      nak: (...delay) => void told.push(['nak', ...delay]),
      term: (reason) => void told.push(['term', reason]),
    };
    await settle(message, outcome, 'why');
    expect(told).toEqual([verb]);
  });
});
