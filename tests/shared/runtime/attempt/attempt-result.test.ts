import { describe, expect, it } from 'vitest';
import { NotFoundError, PermanentError, RetryableError, UnavailableError } from '../../../../shared/core/errors.ts';
import { classifyError } from '../../../../shared/runtime/attempt/attempt-result.ts';
import { MAX_DELIVERIES } from '../../../../shared/bus/topology.ts';

const permanent = new PermanentError('unreadable-frame', 'bad');
const retryable = new RetryableError('object-changed', 'later');
const unavailable = new UnavailableError('store-unavailable', 'away');
const missing = new NotFoundError('missing-object', 'gone');
const unknown = new TypeError('x is not a function');

describe('classifyError', () => {
  it.each([
    ['fails the item after a permanent error', permanent, {}, 'failed'],
    ['retries after a retryable error', retryable, {}, 'retry'],
    ['retries after an unknown error', unknown, {}, 'retry'],
    ['retries after a thrown value that is not an error', 'text', {}, 'retry'],
    ['retries while a server is unavailable', unavailable, {}, 'retry'],
    ['retries up to three times while an object is missing', missing, { deliveries: 3 }, 'retry'],
    ['fails the item when an object is missing at the fourth delivery', missing, { deliveries: 4 }, 'failed'],
    ['fails the item after the last delivery', retryable, { deliveries: MAX_DELIVERIES }, 'failed'],
    ['fails the item after a delivery beyond the last', unknown, { deliveries: MAX_DELIVERIES + 5 }, 'failed'],
    [
      'requeues the item if a server is unavailable at the last delivery',
      unavailable,
      { deliveries: MAX_DELIVERIES },
      'requeued',
    ],
    ['releases the item when the process stops, even after a permanent error', permanent, { stopping: true }, 'released'],
    [
      'releases the item at the last delivery when the process stops',
      retryable,
      { stopping: true, deliveries: MAX_DELIVERIES },
      'released',
    ],
    ['drops the item of a cancelled request', retryable, { cancelled: true }, 'cancelled'],
  ])('%s', (_, error, conditions, outcome) => {
    expect(classifyError(error, { deliveries: 1, stopping: false, cancelled: false, ...conditions })).toBe(outcome);
  });
});
