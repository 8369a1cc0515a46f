import { setTimeout as sleep } from 'node:timers/promises';
import type { AnyStage } from '../../../shared/pipeline/stage.ts';
import { consumerName, lanesOf } from '../../../shared/bus/topology.ts';

/** Milliseconds between two looks. */
const INTERVAL = 250;

/** Looks at the cluster again and again. @returns How to stop; it throws what a look threw. */
export function startPolling(look: () => Promise<void>): () => Promise<void> {
  const end = new AbortController();
  const looking = (async (): Promise<void> => {
    while (!end.signal.aborted) {
      await look();
      await sleep(INTERVAL, undefined, { signal: end.signal }).catch(() => undefined);
    }
  })();
  looking.catch(() => undefined); // told when it is stopped
  return () => {
    end.abort();
    return looking;
  };
}

/** A stage's lag: of its lanes the one that has most, as the autoscaler takes it. @param lags By consumer. */
export function maxLaneLag({ name, consumes }: AnyStage, lags: ReadonlyMap<string, number>): number {
  return Math.max(...lanesOf(consumes).map((lane) => lags.get(consumerName(name, lane)) ?? 0));
}
