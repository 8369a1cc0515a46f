import { JetStreamApiError, type JsMsg } from '@nats-io/jetstream';
import type { RequestState, ItemEvent, RequestError } from '../../schemas/generated/types.ts';
import { kinds } from '../../schemas/kinds.ts';
import { messageOf } from '../../shared/core/errors.ts';
import { isTerminalEvent, publishLifecycle } from '../../shared/bus/events.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import { metadataPaths, pathOf, requestPrefix } from '../../shared/pipeline/keys.ts';
import { createShutdown } from '../../shared/runtime/service/shutdown.ts';
import type { Service } from '../../shared/runtime/service/service.ts';
import { NO_REQUEST, subjects } from '../../shared/bus/topology.ts';
import { startSpan, traceIdOf } from '../../shared/observability/trace.ts';
import { parseJson, validate } from '../../shared/core/validate.ts';
import {
  isFinished,
  createRunState,
  reduceAccepted,
  reduceProgress,
  reduceRedriven,
  summarise,
  type RunState,
} from '../../shared/requests/run-state.ts';
import { createItemCounters } from './item-counters.ts';

/** Milliseconds between two writes of a running request's state file. */
const STATE_INTERVAL = 500;

/** Milliseconds between two looks at which requests have run out of time. */
const TIMEOUT_INTERVAL = 1_000;

/** A run that has not ended, and where its request's events stand. */
interface OpenRun {
  readonly state: RunState;
  /** Sequence of the last of `fave.requests.{id}.*`: the closing event is only stored if nothing came after it. */
  lastSequence: number;
  traceparent: string | undefined;
  closing: boolean;
  /** Why the run ends although not all of it is settled. */
  timedOut?: RequestError;
}

/** The runs of requests, as their events tell them. */
export interface RunRegistry {
  /** Takes in an event of `fave.requests.>`. @throws PermanentError where it is none. */
  take(message: JsMsg): void;
  /** From here on what is known is the present: runs that are finished are closed. */
  caughtUp(): void;
  /** What is known of a request's open run. */
  open(requestId: string): RunState | undefined;
  /** Requests whose runs have not ended. */
  openRequests(): string[];
  hasEnded(requestId: string): boolean;
  /** Writes what is still to be written. */
  stop(): Promise<void>;
}

export function createRuns({ bus, store, log, metrics, drainSignal }: Service, graph: Graph): RunRegistry {
  const tally = createItemCounters(metrics, graph);
  const ending = createShutdown();
  const open = new Map<string, OpenRun>();
  /** The last run that ended, by request: what still comes of it says nothing new. */
  const ended = new Map<string, number>();
  /** States of requests that were cancelled before this process listened. */
  const cancelled = new Map<string, RequestState>();
  const dirty = new Map<string, RequestState | undefined>();
  let timer: NodeJS.Timeout | undefined;
  let writing = Promise.resolve();
  let current = false;
  /** Rejected while catching up, by request. */
  const rejected = new Map<string, RequestState>();

  const openRun = (requestId: string, run: number): OpenRun | undefined => {
    if ((ended.get(requestId) ?? 0) >= run) return undefined;
    let found = open.get(requestId);
    if (!found || found.state.run < run) {
      found = {
        state: createRunState(requestId, run),
        lastSequence: found?.lastSequence ?? 0,
        traceparent: undefined,
        closing: false,
      };
      open.set(requestId, found);
    }
    return found.state.run === run ? found : undefined;
  };

  const write = async (requestId: string, state: RequestState): Promise<void> => {
    const key = requestPrefix(requestId) + metadataPaths.state;
    await store.put(key, `${JSON.stringify(state)}\n`, {
      headers: { 'content-type': 'application/json' },
      signal: ending.signal,
    });
  };

  /** Writes the state files that changed, one after the other. */
  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    const changed = [...dirty];
    dirty.clear();
    writing = writing.then(async () => {
      for (const [requestId, state] of changed) {
        const run = open.get(requestId);
        // The closing state is written by `close`, before its event; an older one must not follow it.
        const text = state ?? (run && !run.closing ? summarise(run.state, graph) : undefined);
        if (text)
          await write(requestId, text).catch((error: unknown) =>
            log.warn({ event: 'tracker:write-failed', error, request_id: requestId }, messageOf(error)),
          );
      }
    });
    return writing;
  };

  const changed = (requestId: string, state?: RequestState): void => {
    dirty.set(requestId, state ?? dirty.get(requestId));
    timer ??= setTimeout(() => void flush(), STATE_INTERVAL);
  };

  const closingSummary = ({ state, timedOut }: OpenRun): RequestState => {
    const summary = summarise(state, graph);
    if (!timedOut) return summary;
    const finished_at = new Date().toISOString();
    const duration_ms = Date.parse(finished_at) - Date.parse(summary.accepted_at ?? finished_at);
    return { ...summary, status: 'failed', finished_at, duration_ms, errors: [timedOut, ...(summary.errors ?? [])] };
  };

  /** Logs and traces the end of a run. */
  const logRunEnd = (status: 'completed' | 'failed', summary: RequestState, traceparent: string | undefined): void => {
    const { request_id, run, duration_ms = 0, cost_unit, accepted_at, errors = [] } = summary;
    log.info({ event: `request:${status}`, request_id, run, trace_id: traceIdOf(traceparent), duration_ms, cost_unit });
    const begun = accepted_at === undefined ? {} : { begun: Date.parse(accepted_at) };
    const attributes = {
      'fave.request_id': request_id,
      'fave.run': run,
      'fave.status': status,
      'fave.cost_unit': cost_unit ?? 0,
    };
    startSpan('request', traceparent, { ...begun, attributes }).end({}, status === 'failed' ? errors[0]?.message : undefined);
  };

  const close = async (run: OpenRun): Promise<void> => {
    run.closing = true;
    const { state } = run;
    const summary = closingSummary(run);
    const name = summary.status === 'completed' ? 'completed' : 'failed';
    let expected: number | undefined;
    try {
      // Data first: who hears of the end finds it in the bucket.
      // In turn with other states, so that one that is written later, such as that of a cancellation, stays.
      const written = writing.then(() => write(state.requestId, summary));
      writing = written.catch(() => undefined);
      await written;
      expected = run.lastSequence;
      const expect = { lastSubjectSequence: expected, lastSubjectSequenceSubject: subjects.lifecycle(state.requestId, '*') };
      await publishLifecycle(bus, 'tracker', name, summary, { traceparent: run.traceparent, expect });
      logRunEnd(name, summary, run.traceparent);
    } catch (error) {
      run.closing = false;
      // Somebody said something about this request meanwhile. It reaches this process too and is decided upon then,
      // unless it came before the refusal did: then nothing else would.
      if (error instanceof JetStreamApiError) {
        // The state file says already that the run has ended.
        changed(state.requestId);
        if (run.lastSequence !== expected) closeIfFinished(run);
        return;
      }
      log.warn({ event: 'tracker:write-failed', error, request_id: state.requestId }, messageOf(error));
      setTimeout(() => {
        closeIfFinished(run);
      }, 1_000).unref();
    }
  };

  const closeIfFinished = (run: OpenRun): void => {
    if (current && !run.closing && (isFinished(run.state) || run.timedOut) && open.get(run.state.requestId) === run)
      void close(run);
  };

  const cancelledState = (data: RequestState): RequestState => {
    const run = open.get(data.request_id);
    const known = run?.state.run === data.run ? summarise(run.state, graph) : data;
    const errors = [...(data.errors ?? []), ...(known === data ? [] : (known.errors ?? []))];
    return { ...known, status: 'cancelled', finished_at: new Date().toISOString(), errors };
  };

  /** Writes what a tracker that ended too early did not: that a request was cancelled. */
  const writeCancelled = async (): Promise<void> => {
    for (const [requestId, state] of cancelled) {
      const found = await store.getText(requestPrefix(requestId) + metadataPaths.state);
      const written = found && parseJson('requestState', found.text);
      if (!written || written.run < state.run || (written.run === state.run && written.status === 'running'))
        changed(requestId, state);
    }
    cancelled.clear();
  };

  /** Ends requests that took longer than their option `timeout`; the marker makes workers drop what is still queued. */
  const failExpiredRuns = async (): Promise<void> => {
    for (const run of open.values()) {
      if (isFinished(run.state) || run.timedOut) continue;
      const { requestId, accepted } = run.state;
      const limit = Number(accepted?.options?.['timeout'] ?? graph.options['timeout']?.default);
      if (!accepted?.accepted_at || Date.now() < Date.parse(accepted.accepted_at) + limit * 1_000) continue;
      const message = `the request took longer than ${limit} s; the option timeout allows more`;
      await store.put(
        requestPrefix(requestId) + metadataPaths.cancelled,
        `${JSON.stringify({ run: run.state.run, reason: message })}\n`,
      );
      // Not before the marker is there: while the store is away, the request stays one that is late.
      run.timedOut = { code: 'request-timeout', message, file: pathOf(kinds.input, { file: accepted.input ?? '' }) };
      closeIfFinished(run);
    }
  };
  let timeouts: NodeJS.Timeout | undefined;
  const watchLate = (): void => {
    failExpiredRuns()
      .catch((error: unknown) => {
        log.warn({ event: 'tracker:write-failed', error }, messageOf(error));
      })
      .finally(() => {
        if (!drainSignal.aborted) timeouts = setTimeout(watchLate, TIMEOUT_INTERVAL);
      });
  };

  const takeLifecycle = (name: string, data: RequestState, sequence: number, traceparent: string | undefined): void => {
    const { request_id: requestId } = data;
    if (requestId === NO_REQUEST) return;
    const known = open.get(requestId);
    // Whatever was said of the request, and of whichever run, the closing event is only stored if it comes next.
    if (known) known.lastSequence = sequence;
    if (isTerminalEvent(name)) takeEnd(name, data);
    else if (name === 'accepted') takeAccepted(data, sequence, traceparent);
    else if (name === 'redriven') takeRedriven(data);
    else if (name === 'rejected' && !known && !ended.has(requestId)) takeRejected(data);
    if (known) closeIfFinished(known);
  };

  const takeRejected = (data: RequestState): void => {
    if (current) changed(data.request_id, data);
    else rejected.set(data.request_id, data);
  };

  /** What was rejected while no tracker ran: written where nothing is known of the request yet. */
  const writeRejected = async (): Promise<void> => {
    for (const [requestId, state] of rejected) {
      if (open.has(requestId) || ended.has(requestId)) continue;
      const headers = { 'content-type': 'application/json' };
      await store.putIfAbsent(requestPrefix(requestId) + metadataPaths.state, `${JSON.stringify(state)}\n`, { headers });
    }
    rejected.clear();
  };

  const takeEnd = (name: string, data: RequestState): void => {
    const { request_id: requestId, run } = data;
    if ((ended.get(requestId) ?? 0) >= run) return;
    if (name === 'cancelled') {
      // While catching up, what is in the bucket may be newer than what was known then.
      if (current) changed(requestId, cancelledState(data));
      else cancelled.set(requestId, cancelledState(data));
    }
    if (current) {
      metrics.requests.inc({ status: name });
      if (data.duration_ms !== undefined) metrics.requestDuration.observe({ status: name }, data.duration_ms / 1_000);
    }
    ended.set(requestId, run);
    if ((open.get(requestId)?.state.run ?? 0) <= run) open.delete(requestId);
  };

  const takeAccepted = (data: RequestState, sequence: number, traceparent: string | undefined): void => {
    const { request_id: requestId } = data;
    const run = openRun(requestId, data.run);
    if (!run) return;
    if (current && !run.state.accepted) metrics.requests.inc({ status: 'accepted' });
    run.lastSequence = sequence;
    run.traceparent = traceparent;
    reduceAccepted(run.state, data, graph);
    dirty.delete(requestId);
    cancelled.delete(requestId);
    if (current) changed(requestId);
    closeIfFinished(run);
  };

  const takeRedriven = ({ request_id: requestId, run: number, redriven }: RequestState): void => {
    const run = openRun(requestId, number);
    if (!run) return;
    reduceRedriven(run.state, redriven);
    if (current) changed(requestId);
  };

  const takeProgress = (progress: ItemEvent, time: string, stored: number): void => {
    tally.take(progress, stored, current);
    const run = openRun(progress.request_id, progress.run);
    if (!run) return;
    reduceProgress(run.state, progress, time, graph);
    if (current) changed(progress.request_id);
    closeIfFinished(run);
  };

  return {
    take(message) {
      const event = parseJson('cloudEvent', message.string());
      const [, , , name = '', ...rest] = message.subject.split('.');
      if (rest.length > 0)
        takeProgress(validate('itemEvent', event.data), event.time, Number(message.timestampNanos / 1_000_000n));
      else takeLifecycle(name, validate('requestState', event.data), message.seq, event.traceparent);
    },
    caughtUp() {
      if (current) return;
      current = true;
      for (const run of open.values()) {
        changed(run.state.requestId);
        closeIfFinished(run);
      }
      Promise.all([writeCancelled(), writeRejected()]).catch((error: unknown) =>
        log.warn({ event: 'tracker:write-failed', error }, messageOf(error)),
      );
      watchLate();
    },
    open: (requestId) => open.get(requestId)?.state,
    openRequests: () => [...open.keys()],
    hasEnded: (requestId) => ended.has(requestId),
    async stop() {
      clearTimeout(timeouts);
      await ending.wait(flush());
    },
  };
}
