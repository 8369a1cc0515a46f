import { setTimeout as sleep } from 'node:timers/promises';
import type { AnyStage } from '../../../shared/pipeline/stage.ts';
import { consumerName, lanesOf } from '../../../shared/bus/topology.ts';

const POLL_INTERVAL_MS = 250;

/** Calls `poll` periodically. @returns A function that stops polling and throws an error of `poll`. */
export function startPolling(poll: () => Promise<void>): () => Promise<void> {
  const end = new AbortController();
  const polling = (async (): Promise<void> => {
    while (!end.signal.aborted) {
      await poll();
      await sleep(POLL_INTERVAL_MS, undefined, { signal: end.signal }).catch(() => undefined);
    }
  })();
  polling.catch(() => undefined); // reported by the returned function
  return () => {
    end.abort();
    return polling;
  };
}

/** Returns the highest lag of a stage's lanes, which the autoscaler uses. @param lags Lag by consumer. */
export function maxLaneLag({ name, consumes }: AnyStage, lags: ReadonlyMap<string, number>): number {
  return Math.max(...lanesOf(consumes).map((lane) => lags.get(consumerName(name, lane)) ?? 0));
}
