import type { LandedMessage, RequestState, Request } from '../../schemas/generated/types.ts';
import type { Bus } from '../bus/connection.ts';
import { TERMINAL_EVENTS, publishLifecycle } from '../bus/events.ts';
import type { Graph } from '../pipeline/graph.ts';
import { itemId, metadataPaths, parseKey, requestPrefix } from '../pipeline/keys.ts';
import { announce } from '../bus/landed-message.ts';
import type { OptionMap } from '../core/options.ts';
import type { Store } from '../store/store.ts';
import { streams, subjects } from '../bus/topology.ts';
import { parseJson, validate } from '../core/validate.ts';

/** Where a request stands. */
export interface LastRun {
  readonly run: number;
  /** How it ended; undefined while it is open. */
  readonly ended: RequestState['status'] | undefined;
}

/**
 * The last run of a request, by its lifecycle events; after they have expired, by its state file.
 * Undefined where nobody has accepted the request yet.
 */
export async function lastRun(bus: Bus, store: Store, requestId: string): Promise<LastRun | undefined> {
  const runOf = async (event: string): Promise<number> => {
    const message = await bus.manager.streams.getMessage(streams.requests, {
      last_by_subj: subjects.lifecycle(requestId, event),
    });
    return message ? validate('requestState', parseJson('cloudEvent', message.string()).data).run : 0;
  };
  const ends = await Promise.all(TERMINAL_EVENTS.map(async (status) => ({ run: await runOf(status), ended: status })));
  const accepted: LastRun = { run: await runOf('accepted'), ended: undefined };
  const last = [...ends, accepted].reduce((one, other) => (other.run > one.run ? other : one));
  if (last.run > 0) return last;
  const state = await store.getText(requestPrefix(requestId) + metadataPaths.state);
  if (!state) return undefined;
  const { run, status } = parseJson('requestState', state.text);
  // Of a run that nobody says anything about any more nothing will come.
  return { run, ended: status };
}

/** A run that is to begin. */
export interface NewRun {
  readonly requestId: string;
  /** One more than the last. */
  readonly run: number;
  readonly request: Request;
  /** Travel with everything that the run makes. */
  readonly options: OptionMap;
  /** What the run begins with, announced in its name. */
  readonly begins: readonly LandedMessage[];
}

/**
 * Begins a new run of a request that has ended: workers skip what has a valid receipt and announce its outputs again.
 * The announcements come before `accepted`, so that a run that exists is never without its items; whoever was interrupted
 * in between begins the same run once more, and what was announced already is dropped or skipped.
 */
export async function beginRun(bus: Bus, store: Store, graph: Graph, newRun: NewRun): Promise<void> {
  const { requestId, run, request, options, begins } = newRun;
  for (const landed of begins) await announce(bus, store.bucket, landed);
  const announced = begins.flatMap(({ key, etag }) => {
    const object = parseKey(key, graph.kinds);
    return object ? [{ kind: object.kind.name, item: itemId(object.kind, object.indices), key: object.path, etag }] : [];
  });
  const accepted: RequestState = {
    request_id: requestId,
    run,
    status: 'accepted',
    input: request.input.file,
    options,
    accepted_at: new Date().toISOString(),
    announced,
  };
  await publishLifecycle(bus, 'fave', 'accepted', accepted, { traceparent: request.traceparent });
}
