import type { Request } from '../../../schemas/generated/types.ts';
import type { Store } from '../../store/store.ts';
import { readRequest } from '../../requests/read-request.ts';

/** Requests that are remembered; an admitted request never changes. */
const REMEMBERED = 200;

/** Reads admitted requests, each once as long as it is in use. */
export function rememberRequests(store: Store): (requestId: string, signal: AbortSignal) => Promise<Request> {
  const known = new Map<string, Promise<Request>>();
  return (requestId, signal) => {
    const found = known.get(requestId);
    if (found) return found;
    const read = readRequest(store, requestId, signal);
    known.set(requestId, read);
    // A failure is the attempt's, not the request's.
    read.catch(() => known.delete(requestId));
    const [oldest] = known.keys();
    if (known.size > REMEMBERED && oldest !== undefined) known.delete(oldest);
    return read;
  };
}
