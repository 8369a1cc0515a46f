import type { RequestState } from '../../schemas/generated/types.ts';
import { InvalidDataError } from '../core/errors.ts';
import { mapConcurrently } from '../core/map-concurrently.ts';
import { metadataPaths, REQUEST_ID, requestPrefix, REQUESTS_PREFIX } from '../pipeline/keys.ts';
import type { Store } from '../store/store.ts';
import { findState } from './read-request.ts';

/** Maximum number of requests that are read. Ids are not ordered by time, so sorting needs every state. */
export const MAX_LISTED_REQUESTS = 5_000;

/** A request in a list, as `fave ls --json` prints it. */
export interface ListedRequest {
  readonly request_id: string;
  /** Without a state: the code of the error with which `fave status` refuses to show the request. */
  readonly status: RequestState['status'] | 'not-accepted' | 'invalid-request-state';
  readonly input: string | null;
  readonly accepted_at: string | null;
  readonly duration_ms: number | null;
  /** Number of errors. */
  readonly errors: number;
}

export interface RequestList {
  /** Newest first. */
  readonly requests: readonly ListedRequest[];
  /** Number of requests found. */
  readonly total: number;
  /** Whether there are more than {@link MAX_LISTED_REQUESTS}; newer ones may then be missing. */
  readonly truncated: boolean;
}

/** Lists the newest requests in the store. */
export async function listRequests(store: Store, limit: number): Promise<RequestList> {
  const ids: string[] = [];
  let truncated = false;
  for await (const id of store.listPrefixes(REQUESTS_PREFIX)) {
    if (!REQUEST_ID.test(id)) continue;
    truncated = ids.length === MAX_LISTED_REQUESTS;
    if (truncated) break;
    ids.push(id);
  }
  const requests = await mapConcurrently(ids, (id) => readListedRequest(store, id));
  return { requests: sortNewestFirst(requests).slice(0, limit), total: ids.length, truncated };
}

async function readListedRequest(store: Store, id: string): Promise<ListedRequest> {
  // An invalid state must not hide the other requests.
  const found = await findState(store, id).catch((error: unknown) => {
    if (error instanceof InvalidDataError) return 'invalid-request-state' as const;
    throw error;
  });
  const state = typeof found === 'string' ? undefined : found;
  // A rejected request has no acceptance time; its state was written at the rejection.
  const written =
    state && state.accepted_at === undefined
      ? (await store.head(requestPrefix(id) + metadataPaths.state))?.headers['last-modified']
      : undefined;
  return {
    request_id: id,
    status: typeof found === 'string' ? found : (found?.status ?? 'not-accepted'),
    input: state?.input ?? null,
    accepted_at: state?.accepted_at ?? (written === undefined ? null : new Date(written).toISOString()),
    duration_ms: state?.duration_ms ?? null,
    errors: state?.errors?.length ?? 0,
  };
}

/** Sorts requests by acceptance time. A request without a state has just arrived and comes first. */
export function sortNewestFirst(requests: readonly ListedRequest[]): ListedRequest[] {
  const time = ({ accepted_at }: ListedRequest): number => (accepted_at === null ? Infinity : Date.parse(accepted_at));
  return [...requests].sort((a, b) => (time(a) === time(b) ? (a.request_id < b.request_id ? -1 : 1) : time(b) - time(a)));
}
