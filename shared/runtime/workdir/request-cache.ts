import type { Request } from '../../../schemas/generated/types.ts';
import { readRequest } from '../../requests/read-request.ts';
import type { Store } from '../../store/store.ts';

/** Number of cached requests. */
const CAPACITY = 200;

export type ReadRequest = (requestId: string, signal: AbortSignal) => Promise<Request>;

/** Returns a function that reads admitted requests and caches them. An admitted request never changes. */
export function createRequestCache(store: Store): ReadRequest {
  const cache = new Map<string, Promise<Request>>();
  return (requestId, signal) => {
    const cached = cache.get(requestId);
    if (cached) return cached;
    const reading = readRequest(store, requestId, signal);
    cache.set(requestId, reading);
    // An aborted attempt must not fail the next attempt of the same request.
    reading.catch(() => cache.delete(requestId));
    const [oldest] = cache.keys();
    if (cache.size > CAPACITY && oldest !== undefined) cache.delete(oldest);
    return reading;
  };
}
