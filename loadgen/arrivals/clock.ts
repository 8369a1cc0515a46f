import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

/** The time that a load lives in; tests have one that needs no waiting. */
export interface Clock {
  /** Milliseconds since 1970, with fractions. */
  now(): number;
  /** Resolves at a time, never before it; at once where it has passed or the signal aborts. */
  until(time: number, signal?: AbortSignal): Promise<void>;
}

/** Milliseconds before a moment from which on it is watched for: timers are a millisecond or more late. */
const WATCH = 2;

/** The wall clock as it was when the load began, carried on by the monotonic one: a step of the wall clock moves no arrival. */
export function realClock(): Clock {
  const offset = Date.now() - performance.now();
  const now = (): number => offset + performance.now();
  return {
    now,
    async until(time, signal) {
      const rest = time - now() - WATCH;
      // Longer timers than 2³¹ ms fire at once.
      if (rest > 0) await sleep(Math.min(rest, 2 ** 31 - 1), undefined, { signal }).catch(() => undefined);
      // Turns of the event loop, not a busy loop: uploads and events go on meanwhile.
      while (now() < time && !signal?.aborted) await nextTurn();
    },
  };
}
