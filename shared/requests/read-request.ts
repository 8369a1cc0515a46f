import type { RequestState } from '../../schemas/generated/types.ts';
import { PermanentError } from '../core/errors.ts';
import { metadataPaths, REQUEST_ID, REQUEST_ID_RULE, requestPrefix } from '../pipeline/keys.ts';
import type { Store } from '../store/store.ts';
import { parseJson } from '../core/validate.ts';
import { UsageError } from '../../cli/context/errors.ts';

/** @throws UsageError that says what an id looks like. */
export function assertRequestId(id: string): void {
  if (!REQUEST_ID.test(id)) throw new UsageError(`"${id}" is no request id: use ${REQUEST_ID_RULE}`);
}

/** The request's state as the tracker wrote it; undefined where it has written none. */
export async function stateOf(store: Store, id: string): Promise<RequestState | undefined> {
  const found = await store.getText(requestPrefix(id) + metadataPaths.state);
  return found && parseJson('requestState', found.text);
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

/** Runs `work` on every item, a few at once, and returns the results in the items' order; after a failure nothing more is begun. */
export async function mapSome<T, R>(items: readonly T[], work: (item: T) => Promise<R>, atOnce = 16): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    try {
      for (let n = next++; n < items.length; n = next++) results[n] = await work(items[n] as T);
    } catch (error) {
      next = items.length;
      throw error;
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, lane));
  return results;
}
