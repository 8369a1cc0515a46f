import type { RequestState } from '../../schemas/generated/types.ts';
import { messageOf } from '../../shared/core/errors.ts';
import type { Logger } from '../../shared/observability/log.ts';
import { metadataPaths, requestPrefix } from '../../shared/pipeline/keys.ts';
import type { Store } from '../../shared/store/store.ts';

/** Time between two writes of the same state file (ms). It is doubled after a failed write, up to the maximum. */
const WRITE_INTERVAL_MS = 500;
const MAX_RETRY_DELAY_MS = 30_000;

/** Writes state files one after another, so that a later state of a request overwrites an earlier one. */
export interface StateWriter {
  /**
   * Writes a state soon, and again after a failure. Replaces the scheduled state of the same request.
   * @param read Returns the state at the time of the write; `undefined` skips the write.
   */
  schedule(requestId: string, read: () => RequestState | undefined): void;
  /** Writes a state after the writes in progress. Rejects if the write fails. */
  write(requestId: string, state: RequestState): Promise<void>;
  /** Writes all scheduled states without delay. */
  flush(): Promise<void>;
}

/** @param signal Ends writes that wait for the store. */
export function createStateWriter(
  { store, log }: { readonly store: Pick<Store, 'put' | 'putIfAbsent'>; readonly log: Logger },
  signal: AbortSignal,
): StateWriter {
  const scheduled = new Map<string, () => RequestState | undefined>();
  let timer: NodeJS.Timeout | undefined;
  let delayMs = WRITE_INTERVAL_MS;
  let writing = Promise.resolve();

  const put = async (requestId: string, state: RequestState): Promise<void> => {
    const options = { headers: { 'content-type': 'application/json' }, signal };
    const key = requestPrefix(requestId) + metadataPaths.state;
    const text = `${JSON.stringify(state)}\n`;
    // A rejected upload must not replace the state of an existing request whose events have expired.
    if (state.status === 'rejected') await store.putIfAbsent(key, text, options);
    else await store.put(key, text, options);
  };

  const writeScheduled = async (): Promise<void> => {
    const batch = [...scheduled];
    scheduled.clear();
    let hasFailed = false;
    for (const [requestId, read] of batch) {
      const state = read();
      if (!state) continue;
      try {
        await put(requestId, state);
      } catch (error) {
        hasFailed = true;
        log.warn({ event: 'tracker:write-failed', error, request_id: requestId }, messageOf(error));
        if (!scheduled.has(requestId)) scheduled.set(requestId, read);
      }
    }
    delayMs = hasFailed ? Math.min(2 * delayMs, MAX_RETRY_DELAY_MS) : WRITE_INTERVAL_MS;
    if (scheduled.size > 0 && !signal.aborted) startTimer();
  };

  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    writing = writing.then(writeScheduled);
    return writing;
  };
  const startTimer = (): void => {
    timer ??= setTimeout(() => void flush(), delayMs);
  };

  return {
    schedule(requestId, read) {
      scheduled.set(requestId, read);
      startTimer();
    },
    write(requestId, state) {
      const written = writing.then(() => put(requestId, state));
      writing = written.catch(() => undefined);
      return written;
    },
    flush,
  };
}
