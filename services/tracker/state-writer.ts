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
  /** Writes a state after the writes in progress; returns `false` if the request was removed. Rejects if the write fails. */
  write(requestId: string, state: RequestState): Promise<boolean>;
  /** Writes all scheduled states without delay. */
  flush(): Promise<void>;
}

/** @param signal Ends writes that wait for the store. @param dependencies.onRemoved Receives a request that no longer exists; its state is not written. */
export function createStateWriter(
  {
    store,
    log,
    onRemoved,
  }: {
    readonly store: Pick<Store, 'put' | 'head'>;
    readonly log: Logger;
    readonly onRemoved: (requestId: string) => void;
  },
  signal: AbortSignal,
): StateWriter {
  const scheduled = new Map<string, () => RequestState | undefined>();
  let timer: NodeJS.Timeout | undefined;
  let delayMs = WRITE_INTERVAL_MS;
  let writing: Promise<unknown> = Promise.resolve();

  const put = async (requestId: string, state: RequestState): Promise<boolean> => {
    if (!(await isWritable(requestId, state))) return false;
    const headers = { 'content-type': 'application/json' };
    await store.put(requestPrefix(requestId) + metadataPaths.state, `${JSON.stringify(state)}\n`, { headers, signal });
    return true;
  };

  /** Returns whether the request of a state exists. A refused upload must not replace the state of an admitted request. */
  const isWritable = async (requestId: string, { status, input = '' }: RequestState): Promise<boolean> => {
    const isAdmitted = (await store.head(requestPrefix(requestId) + metadataPaths.request, { signal })) !== undefined;
    if (status === 'ignored' || status === 'rejected') return !isAdmitted && (await store.head(input, { signal })) !== undefined;
    if (!isAdmitted) onRemoved(requestId);
    return isAdmitted;
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
    const flushed = writing.then(writeScheduled);
    writing = flushed;
    return flushed;
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
