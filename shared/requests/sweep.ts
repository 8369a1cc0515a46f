import type { RequestState } from '../../schemas/generated/types.ts';
import { kinds } from '../../schemas/kinds.ts';
import type { Bus } from '../bus/connection.ts';
import { fetchConsumerLag } from '../bus/consumers.ts';
import { readStream } from '../bus/read-stream.ts';
import { undefinedIfInvalid } from '../bus/request-events.ts';
import { consumerName, lanesOf, streams, subjects } from '../bus/topology.ts';
import { PermanentError } from '../core/errors.ts';
import { parseJson } from '../core/validate.ts';
import type { Graph } from '../pipeline/graph.ts';
import { assertRequestId, itemId, parseKey, pathOf, REQUEST_ID, requestPrefix, REQUESTS_PREFIX } from '../pipeline/keys.ts';
import type { Store } from '../store/store.ts';
import { isEnded, readState } from './read-request.ts';
import { readRunStates, type LastRunState } from './read-run-states.ts';

/** Items of an open run by stage: those that producers listed, and those that are settled. */
export interface RunItems {
  readonly run: number;
  readonly accepted?: Pick<RequestState, 'input'>;
  readonly stages: ReadonlyMap<string, { readonly listed: ReadonlySet<string>; readonly settled: ReadonlyMap<string, unknown> }>;
}

/** A request without a terminal event. */
export interface OpenRequest {
  readonly id: string;
  /** Its open run; absent before its acceptance. */
  readonly run?: RunItems | undefined;
  /** Objects that the relay has refused as its input. */
  readonly refused?: RequestState['refused'];
}

/** An object that has landed and whose item is not settled in some stage. */
export interface Unsettled {
  readonly key: string;
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
  readonly modified: Date;
  /** Stages in which the item is not settled. */
  readonly stages: readonly string[];
}

/**
 * Compares the objects of a request with its items. Costs one listing of the request. In runs after the first, objects without a
 * listed item are not part of the run. Uploads that are not the input of the request are never part of it.
 */
export async function* findUnsettledObjects(store: Store, graph: Graph, request: OpenRequest): AsyncGenerator<Unsettled> {
  const { id, run, refused = [] } = request;
  const input = run?.accepted?.input;
  for await (const object of store.list(requestPrefix(id))) {
    const found = parseKey(object.key, graph.kinds);
    if (!found) continue;
    if (found.kind === kinds.input && input !== undefined && found.path !== pathOf(kinds.input, { file: input })) continue;
    if (refused.some(({ key, etag }) => key === found.path && etag === object.etag)) continue;
    const item = itemId(found.kind, found.indices);
    const stages = graph
      .consumersOf(found.kind.name)
      .filter(({ name }) => isUnsettled(run, name, item))
      .map(({ name }) => name);
    if (stages.length > 0) yield { ...object, stages };
  }
}

function isUnsettled(run: RunItems | undefined, stage: string, item: string): boolean {
  const { listed, settled } = run?.stages.get(stage) ?? {};
  return !settled?.has(item) && ((run?.run ?? 1) === 1 || Boolean(listed?.has(item)));
}

/**
 * Yields the unsettled objects of a request that no worker will process: their notification or their landed message was lost, or
 * another client has taken the message from a consumer.
 */
export type FindLostObjects = (request: OpenRequest) => AsyncIterable<Unsettled>;

/** Creates the search of one sweep. It reads the lag of the stages once. */
export function createLostObjectFinder(bus: Bus, store: Store, graph: Graph): FindLostObjects {
  let busyStages: Promise<ReadonlySet<string>> | undefined;
  return async function* (request) {
    let queued: Promise<ReadonlySet<string>> | undefined;
    for await (const object of findUnsettledObjects(store, graph, request)) {
      const busy = await (busyStages ??= findBusyStages(bus, graph));
      // An idle stage has no message. A busy one may have that of this object, or only others.
      const isLost =
        object.stages.some((stage) => !busy.has(stage)) || !(await (queued ??= readQueuedKeys(bus, request.id))).has(object.key);
      if (isLost) yield object;
    }
  };
}

/** Returns the stages with messages that are pending or in progress. A stage without a consumer has none. */
async function findBusyStages(bus: Bus, graph: Graph): Promise<Set<string>> {
  const busy = new Set<string>();
  for (const { name, consumes } of graph.stages)
    for (const lane of lanesOf(consumes))
      if ((await fetchConsumerLag(bus, streams.landed, consumerName(name, lane))) > 0) busy.add(name);
  return busy;
}

/** Returns the keys of the landed messages of a request that are not acknowledged by all consumers. */
async function readQueuedKeys(bus: Bus, requestId: string): Promise<Set<string>> {
  const keys = new Set<string>();
  for await (const { text } of readStream(bus, { stream: streams.landed, subject: subjects.landed('*', '*', requestId) })) {
    const landed = undefinedIfInvalid(() => parseJson('landedMessage', text));
    if (landed) keys.add(landed.key);
  }
  return keys;
}

/** Time within which two sweeps of the same object publish one notification, in milliseconds. */
const SWEEP_WINDOW_MS = 10_000;

/** Publishes the notification that the store should have sent for an object; the relay then announces the object as a new message. */
export async function republishNotification(bus: Bus, bucket: string, { key, etag, size }: Unsettled): Promise<void> {
  const notification = {
    Records: [
      {
        eventName: 's3:ObjectCreated:Put',
        s3: { bucket: { name: bucket }, object: { key: encodeURIComponent(key).replaceAll('%20', '+'), eTag: etag, size } },
      },
    ],
  };
  const window = Math.floor(Date.now() / SWEEP_WINDOW_MS);
  await bus.publish(subjects.rawSweep, notification, { msgID: `${key} ${etag} ${window}` });
}

/** A lost object that a sweep found. */
export interface SweptObject {
  readonly requestId: string;
  readonly object: Unsettled;
}

/**
 * Announces the lost objects of open requests. Returns the number of open requests.
 * @param options.id Only this request. @param options.dryRun Announces nothing. @param options.onObject Receives each object found.
 * @throws UsageError for an invalid id, PermanentError `already-ended` if the request of `id` has ended.
 */
export async function sweepRequests(
  bus: Bus,
  store: Store,
  graph: Graph,
  { id, dryRun = false, onObject }: { id?: string | undefined; dryRun?: boolean; onObject: (swept: SweptObject) => void },
): Promise<number> {
  if (id !== undefined) assertRequestId(id);
  const runs = await readRunStates(bus, graph, id);
  const findLostObjects = createLostObjectFinder(bus, store, graph);
  let openRequests = 0;
  for await (const requestId of id === undefined ? store.listPrefixes(REQUESTS_PREFIX) : [id]) {
    const request = REQUEST_ID.test(requestId) ? await toOpenRequest(store, requestId, runs.get(requestId)) : undefined;
    if (!request) continue;
    openRequests += 1;
    for await (const object of findLostObjects(request)) {
      if (!dryRun) await republishNotification(bus, store.bucket, object);
      onObject({ requestId, object });
    }
  }
  if (id === undefined || openRequests > 0) return openRequests;
  const { status = 'unknown' } = (await readState(store, id)) ?? {};
  throw new PermanentError('already-ended', `request ${id} has ended (${status}): run it again with fave replay ${id}`);
}

/** Returns a request from the events of its last run or, without an accepted one, from its state; `undefined` if it has ended. */
async function toOpenRequest(store: Store, id: string, last: LastRunState | undefined): Promise<OpenRequest | undefined> {
  if (last?.ended) return undefined;
  if (last?.state.accepted) return { id, run: last.state };
  const state = await readState(store, id);
  return state && isEnded(state) ? undefined : { id, refused: state?.refused };
}
