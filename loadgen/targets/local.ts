import { setMaxListeners } from 'node:events';
import type { RequestEvent } from '../../shared/bus/request-events.ts';
import type { Clock } from '../arrivals/clock.ts';
import type { Target } from './target.ts';

/** Creates an in-process target that confirms uploads immediately and completes each request at the time that `doneAt` returns. */
function createLocalTarget(clock: Clock, doneAt: (arrived: number) => number): Target {
  let take: (event: RequestEvent) => void;
  const closed = new AbortController();
  setMaxListeners(0, closed.signal); // one listener per request
  const answer = async (id: string): Promise<void> => {
    const done = doneAt(clock.now());
    await clock.until(done, closed.signal);
    if (closed.signal.aborted) return;
    const time = new Date(done).toISOString();
    take({ type: 'lifecycle', name: 'completed', time, data: { request_id: id, run: 1, status: 'completed' } });
  };
  return {
    open(taking) {
      take = taking;
      return Promise.resolve();
    },
    send({ id }) {
      void answer(id);
      return Promise.resolve();
    },
    close() {
      closed.abort();
      return Promise.resolve();
    },
  };
}

/** Creates a target that completes requests immediately, to measure the load generator itself. */
export function createNullTarget(clock: Clock): Target {
  return createLocalTarget(clock, (arrived) => arrived);
}

/** Behaviour of a stalling target. Times are in ms. */
export interface Stall {
  readonly period: number;
  /** Share of each period, from its start, in which the target does not respond. */
  readonly share: number;
  /** Response time outside the stall. */
  readonly service: number;
}

export const defaultStall: Stall = { period: 1_000, share: 0.3, service: 5 };

/** Creates a target that stalls periodically and responds to delayed requests after the stall. @param begun Start of the first period. */
export function createStallingTarget(clock: Clock, { period, share, service }: Stall, begun = clock.now()): Target {
  return createLocalTarget(clock, (arrived) => {
    const phase = (arrived - begun) % period;
    return arrived + Math.max(0, share * period - phase) + service;
  });
}
