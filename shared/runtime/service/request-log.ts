import { randomBytes } from 'node:crypto';
import { metadataPaths, requestPrefix } from '../../pipeline/keys.ts';
import type { Logger } from '../../observability/log.ts';
import type { Store } from '../../store/store.ts';

/** Milliseconds that a request's log lines wait for others before they are put into the bucket together. */
const BATCH = 3_000;

/** Keeps each request's log lines in the bucket, `metadata/logs/{stage}-{timestamp}-{worker}.jsonl`, in batches and off the item's path. */
export interface RequestLog {
  add(requestId: string, line: string): void;
  /** Puts what is still waiting. */
  flush(): Promise<void>;
}

/** @param signal Ends what still waits for the store. */
export function createRequestLog(store: Store, stage: string, log: Logger, signal: AbortSignal): RequestLog {
  const waiting = new Map<string, string[]>();
  let timer: NodeJS.Timeout | undefined;
  // In the name, so that workers of one stage that flush in the same millisecond do not overwrite each other. No number of the
  // process: in containers all have the same.
  const worker = randomBytes(4).toString('hex');

  /** The last of the batches that are on their way; a new one waits for it. */
  let writing = Promise.resolve();

  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    writing = writing.then(write);
    return writing;
  };

  const write = async (): Promise<void> => {
    const batches = [...waiting];
    waiting.clear();
    const timestamp = `${new Date().toISOString().replace(/[:.]/g, '')}-${worker}`;
    for (const [requestId, lines] of batches) {
      const key = requestPrefix(requestId) + metadataPaths.log(stage, timestamp);
      await store
        .put(key, lines.join(''), { headers: { 'content-type': 'application/jsonl' }, signal })
        .catch((error: unknown) => {
          log.warn(
            { event: 'request-log:failed', error, request_id: requestId },
            'log lines of this request could not be put into the bucket',
          );
        });
    }
  };

  return {
    flush,
    add(requestId, line) {
      const lines = waiting.get(requestId);
      if (lines) lines.push(line);
      else waiting.set(requestId, [line]);
      timer ??= setTimeout(() => void flush(), BATCH).unref();
    },
  };
}
