import type { RequestState } from '../../schemas/generated/types.ts';
import type { Bus } from '../../shared/bus/connection.ts';
import { followRequestEvents, type RequestEvent } from '../../shared/bus/request-events.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import type { Output } from '../context/cli.ts';
import { followLanded, formatEvent } from './events.ts';
import { createProgress, type RequestProgress } from './progress.ts';

/** Time after which a request without events is reported, in milliseconds. */
const NO_EVENT_WARNING_MS = 15_000;

/** A request that is being followed. */
export interface RequestWait {
  /** Resolves when the request has ended; rejects with AbortError when the signal aborts. */
  readonly ended: Promise<RequestState>;
  stop(): Promise<void>;
}

export interface WaitOptions {
  readonly signal: AbortSignal;
  readonly style: Output['style'];
  /** Called after each event and landed message. `lines` formats the event. */
  readonly onChange: (progress: RequestProgress, lines: () => string[]) => void;
}

/** Follows a request. @param from Stream sequence of the first event; see {@link followRequestEvents}. */
export async function waitForRequest(
  bus: Bus,
  graph: Graph,
  id: string,
  from: number,
  { signal, style, onChange }: WaitOptions,
): Promise<RequestWait> {
  const progress = createProgress(graph, id);
  const { promise, resolve, reject } = Promise.withResolvers<RequestState>();
  promise.catch(() => undefined); // handled by the caller, who may await it later
  const abort = (): void => {
    reject(new DOMException('interrupted', 'AbortError'));
  };
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  const stopLanded = followLanded(bus, id, (landed) => {
    progress.addLanded(landed);
    onChange(progress, () => []);
  });
  const take = (event: RequestEvent): void => {
    progress.apply(event);
    onChange(progress, () => formatEvent(event, { style }, false));
    const ended = progress.ended();
    if (ended) resolve(ended);
  };
  const stopEvents = await followRequestEvents(bus, { requestId: id, from }, { onEvent: take, onError: reject });
  return {
    ended: promise,
    stop: async () => {
      signal.removeEventListener('abort', abort);
      stopLanded();
      await stopEvents();
    },
  };
}

/** Warns once if a request has no event for a while. Returns a function that cancels the warning. */
export function warnWithoutEvents(hasEvents: () => boolean, stderr: Output): () => void {
  const timer = setTimeout(() => {
    if (!hasEvents()) stderr.line('the upload has not been announced yet: check the relay with fave doctor');
  }, NO_EVENT_WARNING_MS);
  return () => {
    clearTimeout(timer);
  };
}
