import type { ItemEvent, RequestError, RequestState } from '../../schemas/generated/types.ts';
import { isTerminalEvent } from '../../shared/bus/events.ts';
import type { RequestEvent } from '../../shared/bus/request-events.ts';
import { NO_REQUEST } from '../../shared/bus/topology.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import {
  createRunState,
  isFinished,
  reduceAccepted,
  reduceProgress,
  reduceRedriven,
  summarise,
  type RunState,
} from '../../shared/requests/run-state.ts';

/** The latest run of each request, by request id. */
export type Runs = Map<string, Run>;

export type Run = OpenRun | EndedRun;

/** A run that has not ended. `closing`: its terminal event is being published. */
export interface OpenRun {
  phase: 'open' | 'closing';
  readonly state: RunState;
  /** Sequence of the last lifecycle event of the request. The terminal event is stored only if no other event follows it. */
  lastSequence: number;
  traceparent: string | undefined;
  /** Set when the request has exceeded its option `timeout`. */
  timedOut?: RequestError;
}

/** A run that has ended. Late events of it are ignored. */
export interface EndedRun {
  readonly phase: 'ended';
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
  const run = findOpenRun(runs, data);
  if (!run) return effects;
  reduceProgress(run.state, data, time, graph);
  return [...effects, { type: 'write-state', requestId: data.request_id }];
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
  if (before && before.phase !== 'ended') before.lastSequence = sequence;
  if (isTerminalEvent(name)) return applyTerminalEvent(runs, event, storedAtMs, graph);
  if (name === 'rejected') return before ? [] : [{ type: 'write-state', requestId, state: data }];
  if (name !== 'accepted' && name !== 'redriven') return [];
  const run = findOpenRun(runs, data);
  if (!run) return [];
  const writeState: Effect = { type: 'write-state', requestId };
  if (name === 'redriven') {
    reduceRedriven(run.state, data.redriven);
    return [writeState];
  }
  const isRepeated = run.state.accepted !== undefined;
  run.lastSequence = sequence;
  run.traceparent = event.traceparent;
  reduceAccepted(run.state, data, graph);
  return isRepeated ? [writeState] : [writeState, { type: 'count-request', status: name, durationMs: undefined }];
}

function applyTerminalEvent(
  runs: Runs,
  { name, time, data }: Extract<RequestEvent, { type: 'lifecycle' }>,
  storedAtMs: number,
  graph: Graph,
): Effect[] {
  const { request_id: requestId, run: number, duration_ms: durationMs } = data;
  const before = runs.get(requestId);
  if (before && (numberOf(before) > number || (before.phase === 'ended' && before.number === number))) return [];
  runs.set(requestId, { phase: 'ended', number, endedAtMs: storedAtMs });
  const effects: Effect[] = [{ type: 'count-request', status: name, durationMs }];
  if (name === 'cancelled') {
    const run = before?.phase !== 'ended' && before?.state.run === number ? before : undefined;
    effects.push({ type: 'write-state', requestId, state: cancelledState(data, time, run && summarise(run.state, graph)) });
  }
  return effects;
}

function cancelledState(data: RequestState, time: string, summary: RequestState | undefined): RequestState {
  const errors = [...(data.errors ?? []), ...(summary?.errors ?? [])];
  return { ...(summary ?? data), status: 'cancelled', finished_at: time, errors };
}

/** Returns the open run of an event, and creates it if the event is the first of it. Returns `undefined` for an event of an ended or older run. */
function findOpenRun(runs: Runs, { request_id, run: number }: { request_id: string; run: number }): OpenRun | undefined {
  const before = runs.get(request_id);
  if (before && numberOf(before) >= number) return before.phase !== 'ended' && before.state.run === number ? before : undefined;
  const lastSequence = before && before.phase !== 'ended' ? before.lastSequence : 0;
  const run: OpenRun = { phase: 'open', state: createRunState(request_id, number), lastSequence, traceparent: undefined };
  runs.set(request_id, run);
  return run;
}

function numberOf(run: Run): number {
  return run.phase === 'ended' ? run.number : run.state.run;
}
