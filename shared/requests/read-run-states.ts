import type { Graph } from '../pipeline/graph.ts';
import type { Bus } from '../bus/connection.ts';
import { isTerminalEvent } from '../bus/events.ts';
import { streams } from '../bus/topology.ts';
import { selectRun, type RequestRuns } from './early-runs.ts';
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
  const requests = new Map<string, Events>();
  for await (const message of readStream(bus, { stream: streams.requests, subject: `fave.requests.${requestId}.>` })) {
    const event = undefinedIfInvalid(() => parseRequestEvent(message));
    if (event) applyEvent(requests, event, graph);
  }
  return new Map([...requests].map(([id, { latest, endedRun }]) => [id, { state: latest, ended: endedRun === latest.run }]));
}

interface Events extends RequestRuns {
  endedRun: number;
}

function applyEvent(requests: Map<string, Events>, event: RequestEvent, graph: Graph): void {
  const { request_id: id } = event.data;
  const runs = requests.get(id) ?? { latest: createRunState(id, 1), early: new Map(), endedRun: 0 };
  requests.set(id, runs);
  const state = selectRun(runs, event);
  if (!state) return;
  reduceEvent(state, event, graph);
  if (event.type === 'lifecycle' && isTerminalEvent(event.name)) runs.endedRun = state.run;
}
