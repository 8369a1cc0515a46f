import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Request } from '../../../../schemas/generated/types.ts';
import { LONGEST } from '../../../../shared/pipeline/graph.ts';
import type { Attempt } from '../../../../shared/runtime/attempt/attempt.ts';
import { armDeadline, computeItemTimeoutSeconds } from '../../../../shared/runtime/attempt/deadline.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Seconds after which an attempt is ended. */
async function endedAfter(options: Record<string, string | number>, request: () => Promise<Request>): Promise<number> {
  const abort = new AbortController();
  armDeadline({ landed: { key: 'some/key', options }, abort } as unknown as Attempt, request);
  const started = Date.now();
  while (!abort.signal.aborted) await vi.advanceTimersToNextTimerAsync();
  expect(abort.signal.reason).toMatchObject({ code: 'item-timeout' });
  return (Date.now() - started) / 1_000;
}

const ofSize = (size: number) => () => Promise.resolve({ input: { size } } as Request);

it.each([0, 1, 1e6, 825e6, 5e9, 1e13])('an item of an upload of %d bytes may take as long as its limit says', async (size) => {
  expect(await endedAfter({}, ofSize(size))).toBe(computeItemTimeoutSeconds(size));
});

it('the limit is 300 s, and 4 s for each MB', () => {
  expect([0, 1e6, 825e6].map(computeItemTimeoutSeconds)).toEqual([300, 304, 3_600]);
});

it('an item has what the request says, and 300 s where nobody knows the upload', async () => {
  expect(await endedAfter({ 'item-timeout': 7 }, ofSize(825e6))).toBe(7);
  expect(await endedAfter({}, () => Promise.reject(new Error('the store is away')))).toBe(300);
});

it('no item has longer than a week', async () => {
  expect(computeItemTimeoutSeconds(1e13)).toBe(LONGEST);
  expect(await endedAfter({ 'item-timeout': 1e9 }, ofSize(0))).toBe(LONGEST);
});

it('nothing ends an attempt that is over', async () => {
  const abort = new AbortController();
  const disarm = armDeadline({ landed: { key: 'some/key', options: {} }, abort } as unknown as Attempt, ofSize(0));
  disarm();
  await vi.runAllTimersAsync();
  expect(abort.signal.aborted).toBe(false);
});
