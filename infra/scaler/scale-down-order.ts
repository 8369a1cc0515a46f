import type { SupervisedService } from '../process/supervisor.ts';

/** Milliseconds that a replica may take to say what it does; one that is silent is taken for busy. */
const ANSWER = 1_000;

/** Replicas in the order in which they are to go: those not ready, then the idle, then the busy; of equals the youngest first. */
export async function sortForScaleDown<R extends { readonly service: SupervisedService; readonly number: number }>(
  replicas: readonly R[],
): Promise<R[]> {
  const asked = await Promise.all(replicas.map(async (replica) => ({ replica, need: await need(replica.service) })));
  return asked.sort((a, b) => a.need - b.need || b.replica.number - a.replica.number).map(({ replica }) => replica);
}

/** 0: not ready, 1: idle, 2: busy. */
async function need(service: SupervisedService): Promise<number> {
  const port = service.http();
  if (port === undefined) return 0;
  try {
    const response = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(ANSWER) });
    return busySlots(await response.text()) > 0 ? 2 : 1;
  } catch {
    return 2;
  }
}

/** Items that a process says it works on, from its metrics. */
export function busySlots(metrics: string): number {
  return [...metrics.matchAll(/^fave_busy_slots(?:\{[^}]*\})? (\d+)/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
}
