import type { Bus } from '../bus/connection.ts';
import type { Graph } from '../pipeline/graph.ts';
import { assertRequestId, itemId, parseKey, REQUEST_ID, requestPrefix, REQUESTS_PREFIX } from '../pipeline/keys.ts';
import type { Store } from '../store/store.ts';
import { subjects } from '../bus/topology.ts';
import { PermanentError } from '../core/errors.ts';
import { isEnded, readState } from './read-request.ts';
import { readRunStates, type LastRunState } from './read-run-states.ts';

/** Items of an open run by stage: those that producers listed, and those that are settled. */
export interface RunItems {
  readonly run: number;
  readonly stages: ReadonlyMap<string, { readonly listed: ReadonlySet<string>; readonly settled: ReadonlyMap<string, unknown> }>;
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
 * Compares the objects of a request with its items. Costs one listing of the request.
 * @param run The open run; `undefined` if the request has no events. In runs after the first, objects without a listed item
 * are not part of the run.
 */
export async function* findUnsettledObjects(
  store: Store,
  graph: Graph,
  requestId: string,
  run?: RunItems,
): AsyncGenerator<Unsettled> {
  for await (const object of store.list(requestPrefix(requestId))) {
    const found = parseKey(object.key, graph.kinds);
    if (!found) continue;
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
 * Publishes the notification that the store should have sent for an object; the relay then announces the object. JetStream
 * drops the announcement if the object was announced within the deduplication window.
 * @returns Whether the notification is new: `false` if an earlier sweep published it.
 */
export async function republishNotification(
  bus: Bus,
  bucket: string,
  { key, etag, size, modified }: Unsettled,
): Promise<boolean> {
  const notification = {
    Records: [
      {
        eventName: 's3:ObjectCreated:Put',
        s3: { bucket: { name: bucket }, object: { key: encodeURIComponent(key).replaceAll('%20', '+'), eTag: etag, size } },
      },
    ],
  };
  const { duplicate } = await bus.publish(subjects.rawSweep, notification, { msgID: `${key} ${etag} ${modified.toISOString()}` });
  return !duplicate;
}

/** An unsettled object that a sweep found. */
export interface SweptObject {
  readonly requestId: string;
  readonly object: Unsettled;
  /** `dry-run`: not announced; `duplicate`: an earlier sweep has announced it. */
  readonly result: 'announced' | 'duplicate' | 'dry-run';
}

/**
 * Announces the unsettled objects of open requests. Returns the number of open requests.
 * @param options.id Only this request. @param options.onObject Receives each object found.
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
  let openRequests = 0;
  for await (const requestId of id === undefined ? store.listPrefixes(REQUESTS_PREFIX) : [id]) {
    if (!REQUEST_ID.test(requestId) || (await hasEnded(store, requestId, runs.get(requestId)))) continue;
    openRequests += 1;
    for await (const object of findUnsettledObjects(store, graph, requestId, runs.get(requestId)?.state)) {
      if (dryRun) onObject({ requestId, object, result: 'dry-run' });
      else
        onObject({
          requestId,
          object,
          result: (await republishNotification(bus, store.bucket, object)) ? 'announced' : 'duplicate',
        });
    }
  }
  if (id === undefined || openRequests > 0) return openRequests;
  const { status = 'unknown' } = (await readState(store, id)) ?? {};
  throw new PermanentError('already-ended', `request ${id} has ended (${status}): run it again with fave replay ${id}`);
}

async function hasEnded(store: Store, requestId: string, run: LastRunState | undefined): Promise<boolean> {
  if (run?.ended) return true;
  if (run?.state.accepted) return false;
  const state = await readState(store, requestId);
  return state !== undefined && isEnded(state);
}
