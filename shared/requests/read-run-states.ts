import type { Graph } from '../pipeline/graph.ts';
import type { Bus } from '../bus/connection.ts';
import { isTerminalEvent } from '../bus/events.ts';
import { streams } from '../bus/topology.ts';
import { createRunState, reduceEvent, type RunState } from './run-state.ts';
import { parseRequestEvent, undefinedIfInvalid, type RequestEvent } from '../bus/request-events.ts';
import { readStream } from '../bus/read-stream.ts';

/** The last run of a request, derived from its events. */
export interface LastRunState {
  readonly state: RunState;
  readonly ended: boolean;
}

/** Returns the last run of a request, or of every request, by id. Counts events as the tracker does. */
export async function readRunStates(bus: Bus, graph: Graph, requestId = '*'): Promise<Map<string, LastRunState>> {
  const runs = new Map<string, LastRunState>();
  for await (const message of readStream(bus, streams.requests, `fave.requests.${requestId}.>`)) {
    const event = undefinedIfInvalid(() => parseRequestEvent(message.subject, message.string()));
    if (event) applyEvent(runs, event, graph);
  }
  return runs;
}

function applyEvent(runs: Map<string, LastRunState>, event: RequestEvent, graph: Graph): void {
  const { request_id: id, run } = event.data;
  const before = runs.get(id);
  if (before && before.state.run > run) return;
  const state = before?.state.run === run ? before.state : createRunState(id, run);
  reduceEvent(state, event, graph);
  const ends = event.type === 'lifecycle' && isTerminalEvent(event.name);
  runs.set(id, { state, ended: ends || (before?.state === state && before.ended) });
}
