import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

/** Clock of a load. Tests use a virtual one. */
export interface Clock {
  /** Returns milliseconds since the epoch, with fractions. */
  now(): number;
  /** Resolves at a time, never earlier; immediately if the time has passed or the signal aborts. */
  until(time: number, signal?: AbortSignal): Promise<void>;
}

/** Time before the target at which polling starts, in ms: timers fire one or more milliseconds late. */
const POLLING_LEAD_MS = 2;

/** Creates a clock that continues the wall clock with the monotonic clock, so a step of the wall clock does not shift arrivals. */
export function realClock(): Clock {
  const offset = Date.now() - performance.now();
  const now = (): number => offset + performance.now();
  return {
    now,
    async until(time, signal) {
      const rest = time - now() - POLLING_LEAD_MS;
      // Timers longer than 2³¹ ms fire immediately.
      if (rest > 0) await sleep(Math.min(rest, 2 ** 31 - 1), undefined, { signal }).catch(() => undefined);
      // Yields to the event loop, so uploads and events continue.
      while (now() < time && !signal?.aborted) await nextTurn();
    },
  };
}
