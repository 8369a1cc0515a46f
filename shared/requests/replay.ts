import type { LandedMessage, Request } from '../../schemas/generated/types.ts';
import type { Bus } from '../bus/connection.ts';
import { createLandedMessage } from '../bus/landed-message.ts';
import { PermanentError, UsageError } from '../core/errors.ts';
import { mapConcurrently } from '../core/map-concurrently.ts';
import type { OptionMap } from '../core/options.ts';
import type { Graph } from '../pipeline/graph.ts';
import { requestPrefix } from '../pipeline/keys.ts';
import { decodeMetadata } from '../pipeline/metadata.ts';
import type { Store } from '../store/store.ts';
import { assertStage, readRequest, requireState } from './read-request.ts';
import { planReplay, type InitialObject, type ReplayPlan, type ReplayScope } from './replay-plan.ts';
import { readLastRun, startRun } from './start-run.ts';

/** A planned run of a request that has ended. {@link executeReplay} starts it. */
export interface Replay {
  readonly id: string;
  readonly run: number;
  readonly request: Request;
  readonly plan: ReplayPlan;
  /** Options of the run, which all its objects carry. */
  readonly options: OptionMap;
}

/**
 * Plans a replay without changing anything.
 * @throws UsageError for an invalid id or scope, PermanentError `unknown-request`, `not-accepted`, `still-running`,
 * `no-initial-objects`.
 */
export async function prepareReplay(bus: Bus, store: Store, graph: Graph, id: string, scope: ReplayScope): Promise<Replay> {
  const { from, only, force = false } = scope;
  if (from !== undefined && only !== undefined) throw new UsageError('use either --from or --only, not both');
  for (const stage of [from, only]) if (stage !== undefined) assertStage(graph, stage);
  await requireState(store, id);
  const request = await readRequest(store, id);
  const run = await computeNextRun(bus, store, id);
  const plan = await planReplay(store, graph, id, request, scope);
  // Forced items must be computed, not copied from the memo.
  const options = { ...request.options, ...((force || only !== undefined) && { memo: false }) };
  return { id, run, request, plan, options };
}

/** Starts a planned replay. @throws PermanentError `missing-object` if an initial object was removed. */
export async function executeReplay(bus: Bus, store: Store, graph: Graph, replay: Replay): Promise<void> {
  const { id, run, request, plan, options } = replay;
  await mapConcurrently(plan.distrusted, (path) => store.remove(requestPrefix(id) + path));
  const initialObjects = await mapConcurrently(plan.initialObjects, (object) => createMessage(store, object, replay));
  await startRun(bus, store, graph, { requestId: id, run, request, options, initialObjects });
}

async function computeNextRun(bus: Bus, store: Store, id: string): Promise<number> {
  const last = await readLastRun(bus, store, id);
  if (!last)
    throw new PermanentError('not-accepted', `request ${id} has not been accepted yet: check the tracker with fave doctor`);
  if (last.ended) return last.run + 1;
  throw new PermanentError(
    'still-running',
    `request ${id} is still running (run ${last.run}): wait for its end, or cancel it with fave cancel ${id}`,
  );
}

/** Creates the landed message of an initial object for a new run. */
async function createMessage(store: Store, object: InitialObject, { run, request, options }: Replay): Promise<LandedMessage> {
  const { path, requestId, etag, versionId } = object;
  const found = await store.head(requestPrefix(requestId) + path, { etag, ...(versionId !== undefined && { versionId }) });
  if (!found)
    throw new PermanentError('missing-object', `${path} of request ${requestId} was removed: replay from an earlier stage`);
  const { attributes = {}, sha256, input } = decodeMetadata(found.headers) ?? {};
  const { traceparent } = request;
  const metadata = {
    run,
    options,
    attributes,
    ...(sha256 !== undefined && { sha256 }),
    ...(input !== undefined && { input }),
    ...(traceparent !== undefined && { traceparent }),
  };
  return createLandedMessage(object, metadata);
}
