import type { Graph } from '../pipeline/graph.ts';
import type { Bus } from '../bus/connection.ts';
import { codeOf } from '../core/errors.ts';
import { endsRun } from '../bus/events.ts';
import { streams } from '../bus/topology.ts';
import { newRun, reduceEvent, type RunState } from './run-state.ts';
import { readEvent, type RequestEvent } from '../bus/request-events.ts';
import { storedMessages } from '../bus/read-stream.ts';

/** What is known of a request's last run. */
export interface KnownRequest {
  readonly state: RunState;
  readonly ended: boolean;
}

/** The last run of a request, or of all, by its events, counted as the tracker counts. */
export async function readRuns(bus: Bus, graph: Graph, requestId = '*'): Promise<Map<string, KnownRequest>> {
  const known = new Map<string, KnownRequest>();
  for await (const message of storedMessages(bus, streams.requests, `fave.requests.${requestId}.>`)) {
    try {
      take(known, readEvent(message.subject, message.string()), graph);
    } catch (error) {
      // Somebody else's message on our subjects.
      if (!codeOf(error).startsWith('invalid-')) throw error;
    }
  }
  return known;
}

function take(known: Map<string, KnownRequest>, event: RequestEvent, graph: Graph): void {
  const { request_id: id, run } = event.data;
  const before = known.get(id);
  if (before && before.state.run > run) return;
  const state = before?.state.run === run ? before.state : newRun(id, run);
  reduceEvent(state, event, graph);
  const ends = event.what === 'lifecycle' && endsRun(event.name);
  known.set(id, { state, ended: ends || (before?.state === state && before.ended) });
}
