import { setMaxListeners } from 'node:events';
import type { RequestEvent } from '../../shared/bus/request-events.ts';
import type { Clock } from '../arrivals/clock.ts';
import type { Target } from './target.ts';

/** A target in this process that confirms at once and has each request done at a time of its choosing. */
function createLocalTarget(clock: Clock, doneAt: (arrived: number) => number): Target {
  let take: (event: RequestEvent) => void;
  const closed = new AbortController();
  setMaxListeners(0, closed.signal); // as many as there are requests
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

/** Answers at once: what is measured then is the load generator. */
export function createNullTarget(clock: Clock): Target {
  return createLocalTarget(clock, (arrived) => arrived);
}

/** How a stalling target behaves, milliseconds. */
export interface Stall {
  readonly period: number;
  /** Share of each period, from its beginning, in which nothing is answered. */
  readonly share: number;
  /** What an answer takes outside it. */
  readonly service: number;
}

export const defaultStall: Stall = { period: 1_000, share: 0.3, service: 5 };

/** Frozen part of the time; what arrives then is answered after the thaw. @param begun When its first period begins. */
export function createStallingTarget(clock: Clock, { period, share, service }: Stall, begun = clock.now()): Target {
  return createLocalTarget(clock, (arrived) => {
    const phase = (arrived - begun) % period;
    return arrived + Math.max(0, share * period - phase) + service;
  });
}
