import { REQUESTS_MAX_AGE_MS } from '../../shared/bus/topology.ts';
import { isOpen, type Runs } from './apply-event.ts';

/** Removes runs, except open ones, whose events the stream no longer holds. A restarted tracker does not know them either. */
export function forgetExpired(runs: Runs, nowMs: number): void {
  for (const [requestId, run] of runs) {
    if (isOpen(run)) continue;
    const storedAtMs = run.phase === 'ended' ? run.endedAtMs : run.sinceMs;
    if (storedAtMs < nowMs - REQUESTS_MAX_AGE_MS) runs.delete(requestId);
  }
}
