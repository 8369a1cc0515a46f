import type { Bus } from '../bus/connection.ts';
import type { Graph } from '../pipeline/graph.ts';
import { itemId, parseKey, requestPrefix } from '../pipeline/keys.ts';
import type { Store } from '../store/store.ts';
import { subjects } from '../bus/topology.ts';

/** What is known of a request's open run: by stage, the items that producers listed, and those that are settled. */
export interface RunItems {
  readonly run: number;
  readonly stages: ReadonlyMap<string, { readonly listed: ReadonlySet<string>; readonly settled: ReadonlyMap<string, unknown> }>;
}

/** An object that has landed and that some stage has not settled. */
export interface Unsettled {
  readonly key: string;
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
  readonly modified: Date;
  /** The stages that have not. */
  readonly stages: readonly string[];
}

/**
 * Compares what a request has in the bucket with what came of it. Costs one listing of the request.
 * @param known Undefined where nothing was heard of the request. A run above 1 began with some objects only: what nobody
 * listed in it is none of its work.
 */
export async function* findUnsettledObjects(
  store: Store,
  graph: Graph,
  requestId: string,
  known?: RunItems,
): AsyncGenerator<Unsettled> {
  for await (const object of store.list(requestPrefix(requestId))) {
    const found = parseKey(object.key, graph.kinds);
    if (!found) continue;
    const item = itemId(found.kind, found.indices);
    const stages = graph
      .consumersOf(found.kind.name)
      .filter(({ name }) => isMissing(known, name, item))
      .map(({ name }) => name);
    if (stages.length > 0) yield { ...object, stages };
  }
}

function isMissing(known: RunItems | undefined, stage: string, item: string): boolean {
  const { listed, settled } = known?.stages.get(stage) ?? {};
  return !settled?.has(item) && ((known?.run ?? 1) === 1 || Boolean(listed?.has(item)));
}

/**
 * Says of an object what the store should have said, in the store's words: the relay takes it from there, as it would have.
 * Where the object was announced within the deduplication window, JetStream drops the second announcement.
 * @returns False where this process said so already.
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
