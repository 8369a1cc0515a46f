import type { Clock } from '../../loadgen/arrivals/clock.ts';

/**
 * Creates a clock that advances to the next pending time when the event loop is idle. Loads of minutes run in milliseconds and are
 * deterministic.
 */
export function createVirtualClock(): Clock {
  const waiting: { time: number; wake: () => void }[] = [];
  let now = Date.parse('2024-01-01T00:00:00Z');
  let ticking = false;
  const tick = (): void => {
    const next = waiting.shift();
    if (!next) {
      ticking = false;
      return;
    }
    now = Math.max(now, next.time);
    next.wake();
    setImmediate(tick); // after all resulting microtasks
  };
  return {
    now: () => now,
    until: (time, signal) =>
      new Promise((resolve) => {
        if (time <= now || signal?.aborted) {
          resolve();
          return;
        }
        const abort = (): void => {
          waiting.splice(waiting.indexOf(mine), 1);
          resolve();
        };
        const wake = (): void => {
          signal?.removeEventListener('abort', abort);
          resolve();
        };
        const mine = { time, wake };
        const at = waiting.findIndex((other) => other.time > time);
        waiting.splice(at < 0 ? waiting.length : at, 0, mine);
        signal?.addEventListener('abort', abort, { once: true });
        if (!ticking) setImmediate(tick);
        ticking = true;
      }),
  };
}
