import { isTerminalEvent } from '../bus/events.ts';
import type { RequestEvent } from '../bus/request-events.ts';
import { createRunState, type RunState } from './run-state.ts';

/** Runs of a request that are not accepted yet, by number. A stage may publish an item event before `accepted` is stored. */
export type EarlyRuns = Map<number, RunState>;

/** Maximum number of early runs of a request. Only one is real; a faulty stage may report events of any number. */
const MAX_EARLY_RUNS = 8;

/** Returns the state of an early run; creates it if necessary. Drops the highest numbers, because runs are numbered one by one. */
export function selectEarlyRun(early: EarlyRuns, requestId: string, run: number): RunState {
  const state = early.get(run) ?? createRunState(requestId, run);
  early.set(run, state);
  if (early.size > MAX_EARLY_RUNS) early.delete(Math.max(...early.keys()));
  return state;
}

/** Removes an early run, which was accepted or has ended, and all runs before it. Returns its state, with the events that preceded `accepted`. */
export function takeEarlyRun(early: EarlyRuns, requestId: string, run: number): RunState {
  const state = early.get(run) ?? createRunState(requestId, run);
  for (const number of early.keys()) if (number <= run) early.delete(number);
  return state;
}

/** The latest run of a request, and the runs that are not accepted yet. */
export interface RequestRuns {
  latest: RunState;
  readonly early: EarlyRuns;
}

/**
 * Returns the run to which an event applies; `undefined` for an older run. Only the start or the end of a later run makes it the
 * latest one, as in the tracker: stages cannot publish those events.
 */
export function selectRun(runs: RequestRuns, event: RequestEvent): RunState | undefined {
  const { latest, early } = runs;
  const { run } = event.data;
  if (run === latest.run) return latest;
  if (run < latest.run) return undefined;
  const isStartOrEnd = event.type === 'lifecycle' && (event.name === 'accepted' || isTerminalEvent(event.name));
  if (!isStartOrEnd) return selectEarlyRun(early, latest.requestId, run);
  return (runs.latest = takeEarlyRun(early, latest.requestId, run));
}
