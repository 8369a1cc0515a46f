import { JetStreamApiError } from '@nats-io/jetstream';
import type { RequestState } from '../../schemas/generated/types.ts';
import type { Bus } from '../../shared/bus/connection.ts';
import { publishLifecycle } from '../../shared/bus/events.ts';
import { subjects } from '../../shared/bus/topology.ts';
import { messageOf } from '../../shared/core/errors.ts';
import type { Logger } from '../../shared/observability/log.ts';
import { startSpan, traceIdOf } from '../../shared/observability/trace.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import { summarise } from '../../shared/requests/run-state.ts';
import type { OpenRun } from './apply-event.ts';
import type { StateWriter } from './state-writer.ts';

/** `superseded`: another event of the request was stored first and decides again, when it arrives. */
export type CloseResult = 'closed' | 'superseded' | 'retry';

/**
 * Writes the final state of a run, then publishes its terminal event. JetStream refuses the event if another lifecycle event of
 * the request was stored first, so a run has one terminal event, even with two trackers.
 */
export async function closeRun(
  { bus, log, states }: { readonly bus: Bus; readonly log: Logger; readonly states: StateWriter },
  run: OpenRun,
  graph: Graph,
): Promise<CloseResult> {
  const { requestId } = run.state;
  const summary = finalState(run, graph);
  const name = summary.status === 'completed' ? 'completed' : 'failed';
  let lastSubjectSequence: number | undefined;
  try {
    // A subscriber of the terminal event finds the final state in the bucket.
    // A removed request is cancelled soon; if it reappears, its run is closed.
    if (!(await states.write(requestId, summary))) return 'retry';
    lastSubjectSequence = run.lastSequence;
    const expect = { lastSubjectSequence, lastSubjectSequenceSubject: subjects.lifecycle(requestId, '*') };
    await publishLifecycle(bus, 'tracker', name, summary, { traceparent: run.traceparent, expect });
  } catch (error) {
    // If the other event has already arrived, no further event triggers the decision.
    if (error instanceof JetStreamApiError) return run.lastSequence === lastSubjectSequence ? 'superseded' : 'retry';
    log.warn({ event: 'tracker:write-failed', error, request_id: requestId }, messageOf(error));
    return 'retry';
  }
  logRunEnd(log, name, summary, run.traceparent);
  return 'closed';
}

function finalState({ state, timedOut }: OpenRun, graph: Graph): RequestState {
  const summary = summarise(state, graph);
  if (!timedOut) return summary;
  const finished_at = new Date().toISOString();
  const duration_ms = Date.parse(finished_at) - Date.parse(summary.accepted_at ?? finished_at);
  return { ...summary, status: 'failed', finished_at, duration_ms, errors: [timedOut, ...(summary.errors ?? [])] };
}

/** Logs and traces the end of a run. */
function logRunEnd(log: Logger, status: 'completed' | 'failed', summary: RequestState, traceparent: string | undefined): void {
  const { request_id, run, duration_ms = 0, cost_unit = 0, accepted_at, errors = [] } = summary;
  log.info({ event: `request:${status}`, request_id, run, trace_id: traceIdOf(traceparent), duration_ms, cost_unit });
  const begun = accepted_at === undefined ? {} : { begun: Date.parse(accepted_at) };
  const attributes = { 'fave.request_id': request_id, 'fave.run': run, 'fave.status': status, 'fave.cost_unit': cost_unit };
  startSpan('request', traceparent, { ...begun, attributes }).end({}, status === 'failed' ? errors[0]?.message : undefined);
}
