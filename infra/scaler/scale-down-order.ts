import type { SupervisedProcess } from '../process/supervisor.ts';

/** Timeout for the metrics of a replica, in milliseconds. A replica that does not respond counts as busy. */
const METRICS_TIMEOUT_MS = 1_000;

/** Sorts replicas for scale-down: first those that are not ready, then the idle, then the busy; within a group the youngest first. */
export async function sortForScaleDown<R extends { readonly process: SupervisedProcess; readonly number: number }>(
  replicas: readonly R[],
): Promise<R[]> {
  const ranked = await Promise.all(replicas.map(async (replica) => ({ replica, rank: await rankOf(replica.process) })));
  return ranked.sort((a, b) => a.rank - b.rank || b.replica.number - a.replica.number).map(({ replica }) => replica);
}

/** Returns 0 for a process that is not ready, 1 for an idle and 2 for a busy one. */
async function rankOf(process: SupervisedProcess): Promise<number> {
  const port = process.http();
  if (port === undefined) return 0;
  try {
    const response = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(METRICS_TIMEOUT_MS) });
    return busySlots(await response.text()) > 0 ? 2 : 1;
  } catch {
    return 2;
  }
}

/** Returns the number of items that a process works on, from its metrics in the Prometheus text format. */
export function busySlots(metrics: string): number {
  return [...metrics.matchAll(/^fave_busy_slots(?:\{[^}]*\})? (\d+)/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
}
