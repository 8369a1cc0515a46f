import type { Graph } from '../pipeline/graph.ts';
import type { Bus } from '../bus/connection.ts';
import { codeOf } from '../core/errors.ts';
import { isTerminalEvent } from '../bus/events.ts';
import { streams } from '../bus/topology.ts';
import { newRun, reduceEvent, type RunState } from './run-state.ts';
import { parseRequestEvent, type RequestEvent } from '../bus/request-events.ts';
import { readStream } from '../bus/read-stream.ts';

/** What is known of a request's last run. */
export interface LastRunState {
  readonly state: RunState;
  readonly ended: boolean;
}

/** The last run of a request, or of all, by its events, counted as the tracker counts. */
export async function readRunStates(bus: Bus, graph: Graph, requestId = '*'): Promise<Map<string, LastRunState>> {
  const known = new Map<string, LastRunState>();
  for await (const message of readStream(bus, streams.requests, `fave.requests.${requestId}.>`)) {
    try {
      take(known, parseRequestEvent(message.subject, message.string()), graph);
    } catch (error) {
      // Somebody else's message on our subjects.
      if (!codeOf(error).startsWith('invalid-')) throw error;
    }
  }
  return known;
}

function take(known: Map<string, LastRunState>, event: RequestEvent, graph: Graph): void {
  const { request_id: id, run } = event.data;
  const before = known.get(id);
  if (before && before.state.run > run) return;
  const state = before?.state.run === run ? before.state : newRun(id, run);
  reduceEvent(state, event, graph);
  const ends = event.what === 'lifecycle' && isTerminalEvent(event.name);
  known.set(id, { state, ended: ends || (before?.state === state && before.ended) });
}
