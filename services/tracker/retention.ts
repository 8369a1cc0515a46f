import { REQUESTS_MAX_AGE_MS } from '../../shared/bus/topology.ts';
import type { Runs } from './apply-event.ts';

/** Removes ended runs whose events the stream no longer holds. A restarted tracker does not know them either. */
export function forgetEnded(runs: Runs, nowMs: number): void {
  for (const [requestId, run] of runs)
    if (run.phase === 'ended' && run.endedAtMs < nowMs - REQUESTS_MAX_AGE_MS) runs.delete(requestId);
}
