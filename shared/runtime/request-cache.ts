import type { Request } from '../../schemas/generated/types.ts';
import { NotFoundError } from '../core/errors.ts';
import { REQUESTS_PREFIX, splitKey } from '../pipeline/keys.ts';
import { readRequest } from '../requests/read-request.ts';
import type { Store } from '../store/store.ts';

/** The request was removed from the bucket while its items were queued or processed. */
export class RequestRemovedError extends NotFoundError {
  constructor(requestId: string) {
    super('missing-artifact', `request ${requestId} was removed`);
  }
}

/** Time for which a request is not read again (ms). It may be removed, and another request may take its id. */
const VALID_MS = 200;

/** Number of cached requests. */
const CAPACITY = 200;

/** Returns an admitted request. @throws RequestRemovedError if it does not exist. */
export type ReadRequest = (requestId: string, signal?: AbortSignal) => Promise<Request>;

/** Returns a function that reads admitted requests and caches them for {@link VALID_MS}. */
export function createRequestCache(store: Store): ReadRequest {
  const cache = new Map<string, { readonly request: Request; readonly readAt: number }>();
  return async (requestId, signal) => {
    const cached = cache.get(requestId);
    if (cached && performance.now() - cached.readAt < VALID_MS) return cached.request;
    cache.delete(requestId);
    const request = await readRequest(store, requestId, signal).catch((error: unknown) => {
      throw error instanceof NotFoundError ? new RequestRemovedError(requestId) : error;
    });
    cache.set(requestId, { request, readAt: performance.now() });
    const [oldest] = cache.keys();
    if (cache.size > CAPACITY && oldest !== undefined) cache.delete(oldest);
    return request;
  };
}

/**
 * Returns a store that writes below the prefix of a request only while the request exists, so that nothing of a removed request
 * comes back.
 */
export function guardWrites(store: Store, readRequest: ReadRequest): Store {
  const check = async (key: string, signal: AbortSignal | undefined): Promise<void> => {
    const requestId = key.startsWith(REQUESTS_PREFIX) ? splitKey(key)?.requestId : undefined;
    if (requestId !== undefined) await readRequest(requestId, signal);
  };
  return {
    ...store,
    put: async (key, text, options) => {
      await check(key, options?.signal);
      return store.put(key, text, options);
    },
    putIfAbsent: async (key, text, options) => {
      await check(key, options?.signal);
      return store.putIfAbsent(key, text, options);
    },
    upload: async (key, file, options) => {
      await check(key, options?.signal);
      return store.upload(key, file, options);
    },
    copy: async (from, to, options) => {
      await check(to, options?.signal);
      return store.copy(from, to, options);
    },
  };
}
