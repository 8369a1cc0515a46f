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
  /** Of the mix of videos; when they arrive has been drawn already. */
  readonly seed: number;
  readonly target: Target;
  readonly clock: Clock;
  /** Seconds that the last requests are waited for. */
  readonly wait: number;
  /** Ends the load early; what is open is closed as `unfinished`. */
  readonly signal: AbortSignal;
  /** Gets each request when it is over. */
  readonly record: (record: LoadRecord, items: readonly ItemRecord[]) => void;
  /** Called once, when the load begins, with how to ask where it is. */
  readonly watch?: (totals: () => Totals) => void;
}

/** Milliseconds between the start and the first arrival, so that the start's own work makes no arrival late. */
const RUN_UP = 100;

/** Runs a load until its last request is over. @throws What ends the target's events. */
export async function runLoad({ schedule, target, clock, wait, record, watch, ...options }: LoadOptions): Promise<void> {
  const failure = new AbortController();
  const signal = AbortSignal.any([options.signal, failure.signal]);
  setMaxListeners(0, signal); // as many as there are uploads
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
  const begun = clock.now() + RUN_UP;
  for (const time of times) {
    const intended = begun + time * 1_000;
    await clock.until(intended, signal);
    if (signal.aborted) return;
    void send(intended); // nobody waits for it: the next one is due whatever becomes of this one
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
  enough.abort(); // its timer would keep the process
}
