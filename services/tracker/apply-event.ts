import type { ItemEvent, RequestError, RequestState } from '../../schemas/generated/types.ts';
import { isTerminalEvent } from '../../shared/bus/events.ts';
import type { RequestEvent } from '../../shared/bus/request-events.ts';
import { NO_REQUEST } from '../../shared/bus/topology.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import { selectEarlyRun, takeEarlyRun, type EarlyRuns } from '../../shared/requests/early-runs.ts';
import {
  isFinished,
  reduceAccepted,
  reduceProgress,
  reduceRedriven,
  summarise,
  type RunState,
} from '../../shared/requests/run-state.ts';

/** The latest run of each request, by request id. */
export type Runs = Map<string, Run>;

export type Run = UnacceptedRun | OpenRun | EndedRun;

/** A request whose `accepted` event has not arrived. */
export interface UnacceptedRun {
  readonly phase: 'unaccepted';
  /** When its first event was stored (ms since the epoch). */
  readonly sinceMs: number;
  readonly early: EarlyRuns;
  /** State of a request whose uploads were all refused. */
  readonly refused?: RequestState;
}

/** A run that has not ended. `closing`: its terminal event is being published. */
export interface OpenRun {
  phase: 'open' | 'closing';
  /** Events of the next run. */
  readonly early: EarlyRuns;
  readonly state: RunState;
  /** Sequence of the last lifecycle event of the request. The terminal event is stored only if no other event follows it. */
  lastSequence: number;
  traceparent: string | undefined;
  /** Set when the request has exceeded its option `timeout` or a limit of the operator. */
  timedOut?: RequestError;
}

/** A run that has ended. Its late events are ignored. */
export interface EndedRun {
  readonly phase: 'ended';
  /** Events of the next run. */
  readonly early: EarlyRuns;
  readonly number: number;
  /** When the terminal event was stored (ms since the epoch). */
  readonly endedAtMs: number;
}

/** Effect of an event outside the runs. */
export type Effect =
  /** Writes the state file: `state`, or a summary of the open run at the time of the write. */
  | { readonly type: 'write-state'; readonly requestId: string; readonly state?: RequestState }
  | { readonly type: 'close-run'; readonly run: OpenRun }
  | { readonly type: 'count-item'; readonly event: ItemEvent; readonly storedAtMs: number }
  | { readonly type: 'count-request'; readonly status: string; readonly durationMs: number | undefined };

/** Position of an event in the stream. */
export interface Stored {
  readonly sequence: number;
  /** Milliseconds since the epoch. */
  readonly storedAtMs: number;
}

/** Maximum number of refused uploads in a state. */
const MAX_REFUSED = 100;

/** Applies an event to `runs` and returns its effects. Performs no I/O. */
export function applyEvent(runs: Runs, event: RequestEvent, stored: Stored, graph: Graph): Effect[] {
  const effects =
    event.type === 'item' ? applyItemEvent(runs, event, stored, graph) : applyLifecycleEvent(runs, event, stored, graph);
  const run = runs.get(event.data.request_id);
  if (run && isReadyToClose(run)) effects.push({ type: 'close-run', run });
  return effects;
}

/** Returns whether the terminal event of a run can be published. */
export function isReadyToClose(run: Run): run is OpenRun {
  return run.phase === 'open' && (isFinished(run.state) || run.timedOut !== undefined);
}

function applyItemEvent(
  runs: Runs,
  { data, time }: Extract<RequestEvent, { type: 'item' }>,
  { storedAtMs }: Stored,
  graph: Graph,
): Effect[] {
  const effects: Effect[] = [{ type: 'count-item', event: data, storedAtMs }];
  const state = selectState(runs, data, storedAtMs);
  if (!state) return effects;
  reduceProgress(state, data, time, graph);
  return state.accepted ? [...effects, { type: 'write-state', requestId: data.request_id }] : effects;
}

function applyLifecycleEvent(
  runs: Runs,
  event: Extract<RequestEvent, { type: 'lifecycle' }>,
  { sequence, storedAtMs }: Stored,
  graph: Graph,
): Effect[] {
  const { name, data } = event;
  const { request_id: requestId } = data;
  if (requestId === NO_REQUEST) return [];
  const before = runs.get(requestId);
  const isKnown = before !== undefined && before.phase !== 'unaccepted';
  if (isKnown && isOpen(before)) before.lastSequence = sequence;
  if (isTerminalEvent(name)) return applyTerminalEvent(runs, event, storedAtMs, graph);
  if (name === 'rejected' || name === 'ignored') return isKnown ? [] : applyRefusal(runs, data, storedAtMs);
  const writeState: Effect = { type: 'write-state', requestId };
  if (name === 'redriven') {
    const state = selectState(runs, data, storedAtMs);
    if (state) reduceRedriven(state, data.redriven, graph);
    return state?.accepted ? [writeState] : [];
  }
  if (name !== 'accepted' || data.run < numberOf(before)) return [];
  if (data.run === numberOf(before)) return before && isOpen(before) ? [writeState] : [];
  const early: EarlyRuns = before?.early ?? new Map<number, RunState>();
  const state = takeEarlyRun(early, requestId, data.run);
  reduceAccepted(state, data, graph);
  runs.set(requestId, { phase: 'open', early, state, lastSequence: sequence, traceparent: event.traceparent });
  return [writeState, { type: 'count-request', status: name, durationMs: undefined }];
}

/** Adds a refused upload to the state of a request that has no input yet. */
function applyRefusal(runs: Runs, data: RequestState, storedAtMs: number): Effect[] {
  const { request_id: requestId } = data;
  const run = runs.get(requestId);
  const before: UnacceptedRun =
    run?.phase === 'unaccepted' ? run : { phase: 'unaccepted', sinceMs: storedAtMs, early: new Map() };
  const { status = data.status, errors = [], refused = [] } = before.refused ?? {};
  const state: RequestState = {
    ...data,
    status: status === 'rejected' ? status : data.status,
    errors: [...errors, ...(data.errors ?? [])].slice(-MAX_REFUSED),
    refused: [...refused, ...(data.refused ?? [])].slice(-MAX_REFUSED),
  };
  runs.set(requestId, { ...before, refused: state });
  return [{ type: 'write-state', requestId, state }];
}

function applyTerminalEvent(
  runs: Runs,
  { name, time, data }: Extract<RequestEvent, { type: 'lifecycle' }>,
  storedAtMs: number,
  graph: Graph,
): Effect[] {
  const { request_id: requestId, run: number, duration_ms: durationMs } = data;
  const before = runs.get(requestId);
  if (numberOf(before) > number || (before?.phase === 'ended' && before.number === number)) return [];
  const early: EarlyRuns = before?.early ?? new Map<number, RunState>();
  const state = before && isOpen(before) ? before.state : takeEarlyRun(early, requestId, number);
  runs.set(requestId, { phase: 'ended', early, number, endedAtMs: storedAtMs });
  const effects: Effect[] = [{ type: 'count-request', status: name, durationMs }];
  if (name === 'cancelled') {
    const summary = state.accepted && state.run === number ? summarise(state, graph) : undefined;
    effects.push({ type: 'write-state', requestId, state: cancelledState(data, time, summary) });
  }
  return effects;
}

function cancelledState(data: RequestState, time: string, summary: RequestState | undefined): RequestState {
  const errors = [...(data.errors ?? []), ...(summary?.errors ?? [])];
  return { ...(summary ?? data), status: 'cancelled', finished_at: time, errors };
}

/**
 * Returns the state of the run of an event: the open run, or a run that may be accepted later. Only `accepted` opens a run, so an event
 * with an invented number cannot replace the open one. Returns `undefined` for an ended or older run.
 */
function selectState(
  runs: Runs,
  { request_id, run: number }: { request_id: string; run: number },
  storedAtMs: number,
): RunState | undefined {
  const before = runs.get(request_id) ?? { phase: 'unaccepted', sinceMs: storedAtMs, early: new Map() };
  runs.set(request_id, before);
  if (isOpen(before) && before.state.run === number) return before.state;
  return number > numberOf(before) ? selectEarlyRun(before.early, request_id, number) : undefined;
}

/** Returns whether a run has been accepted and has not ended. */
export function isOpen(run: Run): run is OpenRun {
  return run.phase === 'open' || run.phase === 'closing';
}

/** Returns the number of the latest accepted or ended run; 0 before the first. */
function numberOf(run: Run | undefined): number {
  if (!run || run.phase === 'unaccepted') return 0;
  return run.phase === 'ended' ? run.number : run.state.run;
}
