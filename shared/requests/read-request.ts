import type { Request, RequestState } from '../../schemas/generated/types.ts';
import { NotFoundError, PermanentError, UsageError } from '../core/errors.ts';
import { parseJson } from '../core/validate.ts';
import type { Graph } from '../pipeline/graph.ts';
import { assertRequestId, metadataPaths, requestPrefix } from '../pipeline/keys.ts';
import type { Store } from '../store/store.ts';

/** @throws UsageError for an unknown stage; lists the stages of the graph. */
export function assertStage(graph: Graph, name: string): void {
  const names = graph.stages.map((stage) => stage.name);
  if (!names.includes(name)) throw new UsageError(`unknown stage "${name}": the stages are ${names.join(', ')}`);
}

/** Returns the admitted request. The record of a run never changes. @throws NotFoundError `missing-artifact`. */
export async function readRequest(store: Store, requestId: string, signal?: AbortSignal): Promise<Request> {
  const key = requestPrefix(requestId) + metadataPaths.request;
  const found = await store.getText(key, signal && { signal });
  if (!found) throw new NotFoundError('missing-artifact', `${key} is missing: the request was never admitted, or was removed`);
  return parseJson('request', found.text);
}

/** Returns the state that the tracker wrote last, or `undefined` if it has written none. */
export async function readState(store: Store, id: string): Promise<RequestState | undefined> {
  const found = await store.getText(requestPrefix(id) + metadataPaths.state);
  return found && parseJson('requestState', found.text);
}

/** Returns whether the run of a request has ended. A request whose uploads were all refused is still open for its input. */
export function isEnded({ status }: Pick<RequestState, 'status'>): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}

/** Returns the state of a request that was accepted or whose uploads were refused. */
export async function findState(store: Store, id: string): Promise<RequestState | undefined> {
  const state = await readState(store, id);
  if (state) return state;
  // The relay has admitted the request; the tracker has not written its state yet.
  const request = await store.getText(requestPrefix(id) + metadataPaths.request);
  if (!request) return undefined;
  const { input, options, run = 1 } = parseJson('request', request.text);
  return { request_id: id, run, status: 'accepted', input: input.file, options };
}

/**
 * Returns the state of an existing request.
 * @throws UsageError for an invalid id, PermanentError `unknown-request`, `not-accepted`.
 */
export async function requireState(store: Store, id: string): Promise<RequestState> {
  assertRequestId(id);
  const state = await findState(store, id);
  if (state) return state;
  for await (const { key } of store.list(requestPrefix(id)))
    throw new PermanentError('not-accepted', `${key} is in the bucket but not admitted yet: check the relay with fave doctor`);
  throw new PermanentError('unknown-request', `there is no request ${id}: list requests with fave ls`);
}
