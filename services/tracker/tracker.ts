import { JetStreamApiError, type JsMsg } from '@nats-io/jetstream';
import type { Lifecycle, Progress } from '../../schemas/generated/types.ts';
import { codeOf, messageOf, PermanentError } from '../../shared/errors.ts';
import { publishLifecycle } from '../../shared/events.ts';
import type { Graph } from '../../shared/graph.ts';
import { itemId, metadataPaths, parseKey, requestPrefix } from '../../shared/keys.ts';
import type { Service } from '../../shared/runtime/process.ts';
import { NO_REQUEST, streams, subjects, TRACKER_CONSUMER } from '../../shared/topology.ts';
import { parsed, validated } from '../../shared/validate.ts';
import { isFinished, newRun, reduceAccepted, reduceProgress, summarise, type RunState } from './reduce.ts';

/** Milliseconds between two writes of a running request's state file. */
const STATE_INTERVAL = 500;

/** A run that has not ended, and where its request's events stand. */
interface OpenRun {
  readonly state: RunState;
  /** Sequence of the last of `fave.requests.{id}.*`: the closing event is only stored if nothing came after it. */
  lastSequence: number;
  traceparent: string | undefined;
  closing: boolean;
}

/**
 * Counts what the events on `fave.requests.>` tell, writes each request's state file and says `completed` or `failed`, once.
 * It keeps nothing: a restart reads the stream again. Two may run at once; JetStream stores the first one's closing event.
 */
export async function tracker(service: Service, graph: Graph): Promise<void> {
  const { bus, log, stopping } = service;
  const runs = createRuns(service, graph);

  const { state } = await bus.manager.streams.info(streams.requests);
  const events = await bus.jetstream.consumers.get(streams.requests);
  const reading = await events.consume({
    callback: (message) => {
      try {
        runs.take(message);
      } catch (error) {
        log.warn({ event: 'relay:ignored', code: codeOf(error), subject: message.subject }, messageOf(error));
      }
      if (message.seq >= state.last_seq) runs.caughtUp();
    },
  });
  if (state.messages === 0) runs.caughtUp();

  const inputs = await bus.jetstream.consumers.get(streams.landed, TRACKER_CONSUMER);
  const accepting = await inputs.consume({ max_messages: 200, callback: (message) => void accept(service, graph, message) });
  service.ready();
  await new Promise((resolve) => {
    stopping.addEventListener('abort', resolve, { once: true });
  });
  await Promise.all([reading.close(), accepting.close()]);
  await runs.flush();
}

/** Says that an input was accepted, and what its request begins with. */
async function accept({ bus, log }: Service, graph: Graph, message: JsMsg): Promise<void> {
  try {
    const landed = parsed('landed', message.string());
    const { request_id, run, key, etag, options, traceparent } = landed;
    const { kind, path, indices } = parseKey(key, graph.kinds) ?? unknownKey(key);
    const accepted: Lifecycle = {
      request_id,
      run,
      status: 'accepted',
      input: path.slice(path.indexOf('/') + 1),
      options,
      accepted_at: new Date(Number(message.timestampNanos / 1_000_000n)).toISOString(),
      announced: [{ kind: kind.name, item: itemId(kind, indices), key: path, etag }],
    };
    await publishLifecycle(bus, 'tracker', 'accepted', accepted, { traceparent });
    log.info({ event: 'request:accepted', request_id, run });
    message.ack();
  } catch (error) {
    log.error({ event: 'relay:ignored', error, code: codeOf(error) }, messageOf(error));
    if (error instanceof PermanentError) message.term();
    else message.nak(1_000);
  }
}

function unknownKey(key: string): never {
  throw new PermanentError('bad-key', `${key} is no key of this pipeline`);
}

function createRuns({ bus, store, log, metrics }: Service, graph: Graph) {
  const open = new Map<string, OpenRun>();
  /** The last run that ended, by request: what still comes of it says nothing new. */
  const ended = new Map<string, number>();
  const dirty = new Map<string, Lifecycle | undefined>();
  let timer: NodeJS.Timeout | undefined;
  let writing = Promise.resolve();
  let current = false;

  const openRun = (requestId: string, run: number): OpenRun | undefined => {
    if ((ended.get(requestId) ?? 0) >= run) return undefined;
    let found = open.get(requestId);
    if (!found || found.state.run < run) {
      found = { state: newRun(requestId, run), lastSequence: found?.lastSequence ?? 0, traceparent: undefined, closing: false };
      open.set(requestId, found);
    }
    return found.state.run === run ? found : undefined;
  };

  const write = async (requestId: string, state: Lifecycle): Promise<void> => {
    const key = requestPrefix(requestId) + metadataPaths.state;
    await store.put(key, `${JSON.stringify(state)}\n`, { headers: { 'content-type': 'application/json' } });
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
        if (text) await write(requestId, text).catch((error: unknown) => log.warn({ error, request_id: requestId }, messageOf(error)));
      }
    });
    return writing;
  };

  const changed = (requestId: string, state?: Lifecycle): void => {
    dirty.set(requestId, state ?? dirty.get(requestId));
    timer ??= setTimeout(() => void flush(), STATE_INTERVAL);
  };

  const close = async (run: OpenRun): Promise<void> => {
    run.closing = true;
    const { state } = run;
    const summary = summarise(state, graph);
    const name = summary.status === 'completed' ? 'completed' : 'failed';
    let expected: number | undefined;
    try {
      // Data first: who hears of the end finds it in the bucket.
      await writing;
      await write(state.requestId, summary);
      expected = run.lastSequence;
      const expect = { lastSubjectSequence: expected, lastSubjectSequenceSubject: subjects.lifecycle(state.requestId, '*') };
      await publishLifecycle(bus, 'tracker', name, summary, { traceparent: run.traceparent, expect });
      log.info({ event: `request:${name}`, request_id: state.requestId, run: state.run, duration_ms: summary.duration_ms, cost_unit: summary.cost_unit });
      metrics.requests.inc({ status: name });
    } catch (error) {
      run.closing = false;
      // Somebody said something about this request meanwhile. It reaches this process too and is decided upon then,
      // unless it came before the refusal did: then nothing else would.
      if (error instanceof JetStreamApiError) {
        if (run.lastSequence !== expected) consider(run);
        return;
      }
      log.warn({ error, request_id: state.requestId }, messageOf(error));
      setTimeout(() => {
        consider(run);
      }, 1_000).unref();
    }
  };

  const consider = (run: OpenRun): void => {
    if (current && !run.closing && isFinished(run.state) && open.get(run.state.requestId) === run) void close(run);
  };

  const takeLifecycle = (name: string, data: Lifecycle, sequence: number, traceparent: string | undefined): void => {
    const { request_id: requestId } = data;
    if (requestId === NO_REQUEST) return;
    if (name === 'completed' || name === 'failed') {
      ended.set(requestId, Math.max(data.run, ended.get(requestId) ?? 0));
      if ((open.get(requestId)?.state.run ?? 0) <= data.run) open.delete(requestId);
      return;
    }
    if (name === 'rejected' && !open.has(requestId) && !ended.has(requestId)) {
      if (current) changed(requestId, data);
      return;
    }
    const run = name === 'accepted' ? openRun(requestId, data.run) : open.get(requestId);
    if (!run) return;
    run.lastSequence = sequence;
    if (name === 'accepted') {
      run.traceparent = traceparent;
      reduceAccepted(run.state, data, graph);
      dirty.delete(requestId);
    }
    if (current) changed(requestId);
    consider(run);
  };

  const takeProgress = (progress: Progress, time: string): void => {
    const run = openRun(progress.request_id, progress.run);
    if (!run) return;
    reduceProgress(run.state, progress, time, graph);
    if (current) changed(progress.request_id);
    consider(run);
  };

  return {
    flush,
    take(message: JsMsg): void {
      const event = parsed('event', message.string());
      const [, , , name = '', ...rest] = message.subject.split('.');
      if (rest.length > 0) takeProgress(validated('progress', event.data), event.time);
      else takeLifecycle(name, validated('lifecycle', event.data), message.seq, event.traceparent);
    },
    /** From here on what is known is the present: runs that are finished are closed. */
    caughtUp(): void {
      if (current) return;
      current = true;
      for (const run of open.values()) {
        changed(run.state.requestId);
        consider(run);
      }
    },
  };
}
