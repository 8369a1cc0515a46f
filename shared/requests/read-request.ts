import type { Request, RequestState } from '../../schemas/generated/types.ts';
import { NotFoundError, PermanentError, UsageError } from '../core/errors.ts';
import { metadataPaths, REQUEST_ID, REQUEST_ID_RULE, requestPrefix } from '../pipeline/keys.ts';
import type { Store } from '../store/store.ts';
import { parseJson } from '../core/validate.ts';

/** @throws UsageError that says what an id looks like. */
export function assertRequestId(id: string): void {
  if (!REQUEST_ID.test(id)) throw new UsageError(`"${id}" is no request id: use ${REQUEST_ID_RULE}`);
}

/** The request's state as the tracker wrote it; undefined where it has written none. */
export async function stateOf(store: Store, id: string): Promise<RequestState | undefined> {
  const found = await store.getText(requestPrefix(id) + metadataPaths.state);
  return found && parseJson('requestState', found.text);
}

/** Returns the admitted request. The record never changes, so callers may cache it. @throws NotFoundError `missing-artifact`. */
export async function readRequest(store: Store, requestId: string, signal?: AbortSignal): Promise<Request> {
  const key = requestPrefix(requestId) + metadataPaths.request;
  const found = await store.getText(key, signal && { signal });
  if (!found) throw new NotFoundError('missing-artifact', `${key} is missing: the request was never admitted, or was removed`);
  return parseJson('request', found.text);
}

/** Whether nothing more will come of the request's run. */
export function isEnded({ status }: Pick<RequestState, 'status'>): boolean {
  return status !== 'accepted' && status !== 'running';
}

/**
 * The state of a request that somebody knows of.
 * @throws UsageError for what is no id, PermanentError `unknown-request`, `not-accepted`.
 */
export async function requireState(store: Store, id: string): Promise<RequestState> {
  assertRequestId(id);
  const state = await stateOf(store, id);
  if (state) return state;
  const request = await store.getText(requestPrefix(id) + metadataPaths.request);
  // Admitted, and the tracker has not come to it yet.
  if (request) {
    const { input, options } = parseJson('request', request.text);
    return { request_id: id, run: 1, status: 'accepted', input: input.file, options };
  }
  for await (const { key } of store.list(requestPrefix(id))) {
    throw new PermanentError(
      'not-accepted',
      `${key} is in the bucket and nobody has taken it up yet: is the relay running? (fave doctor)`,
    );
  }
  throw new PermanentError('unknown-request', `there is no request ${id}: fave ls lists those that there are`);
}
