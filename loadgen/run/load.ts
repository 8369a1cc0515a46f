import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { ItemRecord, LoadRecord } from '../../schemas/generated/types.ts';
import { createPendingRequests, type PendingRequests, type Totals } from '../record/pending-requests.ts';
import type { Clock } from '../arrivals/clock.ts';
import type { ClosedLoop, OpenLoop } from '../arrivals/schedule.ts';
import { createMix, type Video } from '../arrivals/mix.ts';
import { randomOf } from '../../shared/core/random.ts';
import type { Target } from '../targets/target.ts';

export interface LoadOptions {
  readonly schedule: OpenLoop | ClosedLoop;
  readonly videos: readonly Video[];
  /** Seed of the video mix. Arrival times are already drawn. */
  readonly seed: number;
  readonly target: Target;
  readonly clock: Clock;
  /** Timeout for the last requests, in seconds. */
  readonly wait: number;
  /** Ends the load early; open requests are closed as `unfinished`. */
  readonly signal: AbortSignal;
  /** Receives each closed request. */
  readonly record: (record: LoadRecord, items: readonly ItemRecord[]) => void;
  /** Called once at the start with a function that returns the current totals. */
  readonly watch?: (totals: () => Totals) => void;
}

/** Delay before the first arrival, in ms, so work at the start does not delay it. */
const START_DELAY_MS = 100;

/** Runs a load until its last request is closed. @throws The error that ended the event subscription of the target. */
export async function runLoad({ schedule, target, clock, wait, record, watch, ...options }: LoadOptions): Promise<void> {
  const failure = new AbortController();
  const signal = AbortSignal.any([options.signal, failure.signal]);
  setMaxListeners(0, signal); // one listener per upload
  const book = createPendingRequests(clock, record);
  const draw = createMix(options.videos, randomOf(options.seed));
  let count = 0;
  const send = async (intended: number, user?: number): Promise<string> => {
    const id = randomUUID();
    const video = draw();
    book.sent({ index: count++, id, video, intended, ...(user !== undefined && { user }) });
    try {
      await target.send({ id, video }, signal);
      book.uploaded(id);
    } catch (error) {
      if (!signal.aborted) book.uploadFailed(id, error);
    }
    return id;
  };

  try {
    await target.open(book.apply, (error) => {
      failure.abort(error);
    });
    watch?.(book.totals);
    const loop: Loop = { book, clock, signal, send };
    if ('times' in schedule) await openLoop(schedule, loop);
    else await closedLoop(schedule, loop);
    await waitForLastRequests(book, clock, wait, signal);
  } finally {
    book.giveUp();
    await target.close();
  }
  if (failure.signal.aborted) throw failure.signal.reason;
}

interface Loop {
  readonly book: PendingRequests;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly send: (intended: number, user?: number) => Promise<string>;
}

async function openLoop({ times, duration }: OpenLoop, { clock, signal, send }: Loop): Promise<void> {
  const begun = clock.now() + START_DELAY_MS;
  for (const time of times) {
    const intended = begun + time * 1_000;
    await clock.until(intended, signal);
    if (signal.aborted) return;
    void send(intended); // not awaited: an open loop does not wait for responses
  }
  await clock.until(begun + duration * 1_000, signal);
}

async function closedLoop({ users, think, duration }: ClosedLoop, { book, clock, signal, send }: Loop): Promise<void> {
  const over = new AbortController();
  const stop = AbortSignal.any([signal, over.signal]);
  const ended = clock.until(clock.now() + duration * 1_000, signal).then(() => {
    over.abort();
  });
  const user = async (_: unknown, n: number): Promise<void> => {
    while (!stop.aborted) {
      const id = await send(clock.now(), n);
      await Promise.race([book.closed(id), ended]);
      await clock.until(clock.now() + think * 1_000, stop);
    }
  };
  await Promise.all(Array.from({ length: users }, user));
}

async function waitForLastRequests(book: PendingRequests, clock: Clock, wait: number, signal: AbortSignal): Promise<void> {
  const enough = new AbortController();
  const patience = clock.until(clock.now() + wait * 1_000, AbortSignal.any([signal, enough.signal]));
  await Promise.race([book.empty(), patience]);
  enough.abort(); // the timer would keep the process running
}
