import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Request } from '../../../../schemas/generated/types.ts';
import { MAX_TIMEOUT_SECONDS } from '../../../../shared/config/limits.ts';
import type { Attempt } from '../../../../shared/runtime/attempt/attempt.ts';
import { computeItemTimeoutSeconds, withDeadline } from '../../../../shared/runtime/attempt/deadline.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function createAttempt(options: Record<string, string | number> = {}): Pick<Attempt, 'landed' | 'abort'> {
  return { landed: { key: 'some/key', options } as unknown as Attempt['landed'], abort: new AbortController() };
}

/** Returns the number of seconds after which an attempt is aborted. */
async function measureDeadline(
  options: Record<string, string | number>,
  request: () => Promise<Request>,
  maxSeconds = MAX_TIMEOUT_SECONDS,
): Promise<number> {
  const attempt = createAttempt(options);
  const { signal } = attempt.abort;
  const startedAt = Date.now();
  const running = withDeadline(
    attempt,
    maxSeconds,
    request,
    () => new Promise((resolve) => signal.addEventListener('abort', resolve)),
  );
  while (!signal.aborted) await vi.advanceTimersToNextTimerAsync();
  await running;
  expect(signal.reason).toMatchObject({ code: 'item-timeout' });
  return (Date.now() - startedAt) / 1_000;
}

const ofSize = (size: number) => () => Promise.resolve({ input: { size } } as Request);

describe('withDeadline', () => {
  it.each([0, 1, 1e6, 825e6, 5e9, 1e13])('aborts an item of an input of %d bytes after its computed time limit', async (size) => {
    expect(await measureDeadline({}, ofSize(size))).toBe(computeItemTimeoutSeconds(size));
  });

  it('applies the option item-timeout', async () => {
    expect(await measureDeadline({ 'item-timeout': 7 }, ofSize(825e6))).toBe(7);
  });

  it('applies 300 s if the request cannot be read', async () => {
    expect(await measureDeadline({}, () => Promise.reject(new Error('the store is away')))).toBe(300);
  });

  it.each([100, 600])('applies the limit of the operator, %d s', async (maxSeconds) => {
    expect(await measureDeadline({ 'item-timeout': 1e9 }, ofSize(0), maxSeconds)).toBe(maxSeconds);
    expect(await measureDeadline({ 'item-timeout': 7 }, ofSize(0), maxSeconds)).toBe(7);
    expect(await measureDeadline({}, ofSize(1e9), maxSeconds)).toBe(maxSeconds);
    expect(await measureDeadline({}, ofSize(0), maxSeconds)).toBe(Math.min(300, maxSeconds));
  });

  it('does not abort an attempt that has ended', async () => {
    const attempt = createAttempt();
    await withDeadline(attempt, MAX_TIMEOUT_SECONDS, ofSize(0), () => Promise.resolve());
    await vi.runAllTimersAsync();
    expect(attempt.abort.signal.aborted).toBe(false);
  });

  it('does not abort an attempt that ends while the request is read', async () => {
    const attempt = createAttempt();
    let [respond, finish] = [(_: Request): void => undefined, (): void => undefined];
    const request = new Promise<Request>((resolve) => (respond = resolve));
    const work = new Promise<void>((resolve) => (finish = resolve));
    const running = withDeadline(
      attempt,
      MAX_TIMEOUT_SECONDS,
      () => request,
      () => work,
    );
    await vi.advanceTimersByTimeAsync(301_000);
    finish();
    await running;
    respond(await ofSize(0)());
    await vi.runAllTimersAsync();
    expect(attempt.abort.signal.aborted).toBe(false);
  });
});

describe('computeItemTimeoutSeconds', () => {
  it('returns 300 s plus 4 s per MB', () => {
    expect([0, 1e6, 825e6].map(computeItemTimeoutSeconds)).toEqual([300, 304, 3_600]);
  });

  it('returns a week at most', () => {
    expect(computeItemTimeoutSeconds(1e13)).toBe(MAX_TIMEOUT_SECONDS);
  });
});
