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

/** The last run of a request. */
export interface LastRun {
  readonly run: number;
  /** Status of the ended run; `undefined` while it is open. */
  readonly ended: RequestState['status'] | undefined;
}

/**
 * Returns the last run of a request from its lifecycle events or, after they have expired, from its state file.
 * Returns `undefined` if the request has not been accepted yet.
 */
export async function readLastRun(bus: Bus, store: Store, requestId: string): Promise<LastRun | undefined> {
  const readRunNumber = async (event: string): Promise<number> => {
    const message = await bus.manager.streams.getMessage(streams.requests, {
      last_by_subj: subjects.lifecycle(requestId, event),
    });
    return message ? validate('requestState', parseJson('cloudEvent', message.string()).data).run : 0;
  };
  const ends = await Promise.all(TERMINAL_EVENTS.map(async (status) => ({ run: await readRunNumber(status), ended: status })));
  const accepted: LastRun = { run: await readRunNumber('accepted'), ended: undefined };
  const last = [...ends, accepted].reduce((one, other) => (other.run > one.run ? other : one));
  if (last.run > 0) return last;
  const state = await store.getText(requestPrefix(requestId) + metadataPaths.state);
  if (!state) return undefined;
  const { run, status } = parseJson('requestState', state.text);
  if (status === 'ignored' || status === 'rejected') return undefined;
  // Events are kept longer than a run may take: a run without events has ended.
  return { run, ended: status };
}

/** A run to start. */
export interface NewRun {
  readonly requestId: string;
  /** Number of the last run plus one. */
  readonly run: number;
  readonly request: Request;
  /** Carried by every object of the run. */
  readonly options: OptionMap;
  /** The objects whose announcement starts the run. */
  readonly initialObjects: readonly LandedMessage[];
}

/**
 * Starts a new run of a request that has ended: workers skip items with a valid receipt and reannounce their outputs.
 * Announces the initial objects before it publishes `accepted`, so that an accepted run always has its items. After an
 * interruption the same run can be started again; duplicate announcements are dropped or skipped.
 */
export async function startRun(bus: Bus, store: Store, graph: Graph, newRun: NewRun): Promise<void> {
  const { requestId, run, request, options, initialObjects } = newRun;
  for (const landed of initialObjects) await announce(bus, store.bucket, landed);
  const announced = initialObjects.flatMap(({ key, etag }) => {
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
