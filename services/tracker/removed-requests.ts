import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf, messageOf } from '../../shared/core/errors.ts';
import { metadataPaths, requestPrefix } from '../../shared/pipeline/keys.ts';
import { cancelRemovedRun } from '../../shared/requests/cancel.ts';
import type { Service } from '../../shared/runtime/service/service.ts';
import { isOpen, type Runs } from './apply-event.ts';

/** Number of checks before a request counts as removed. A store node that restarts reports objects as missing for some seconds. */
const CHECKS = 3;

/** Time between two checks (ms). */
const CHECK_INTERVAL_MS = 2_000;

/** Returns a function that cancels the open run of a request if the request was removed. */
export function createRemovalCheck(
  { bus, store, log, drainSignal }: Pick<Service, 'bus' | 'store' | 'log' | 'drainSignal'>,
  runs: Runs,
): (requestId: string) => void {
  const checking = new Set<string>();
  const check = async (requestId: string): Promise<void> => {
    for (let n = 0; n < CHECKS; n += 1) {
      if (n > 0) await sleep(CHECK_INTERVAL_MS, undefined, { signal: drainSignal });
      if (await store.head(requestPrefix(requestId) + metadataPaths.request, { signal: drainSignal })) return;
    }
    const run = runs.get(requestId);
    if (run && isOpen(run)) await cancelRemovedRun(bus, store, requestId, run.state.run);
  };
  return (requestId) => {
    if (checking.has(requestId)) return;
    checking.add(requestId);
    check(requestId)
      .catch((error: unknown) => {
        if (!drainSignal.aborted) log.warn({ event: 'tracker:write-failed', error, code: codeOf(error) }, messageOf(error));
      })
      .finally(() => checking.delete(requestId));
  };
}
