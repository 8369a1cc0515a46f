import { randomBytes } from 'node:crypto';
import { metadataPaths, requestPrefix } from '../../pipeline/keys.ts';
import type { Logger } from '../../observability/log.ts';
import type { Store } from '../../store/store.ts';
import { RequestRemovedError } from '../request-cache.ts';

/** Time for which log lines are collected before they are stored together (ms). */
const BATCH_INTERVAL_MS = 3_000;

/** Stores the log lines of each request in the bucket, in batches: `metadata/logs/{stage}-{timestamp}-{worker}.jsonl`. */
export interface RequestLog {
  add(requestId: string, line: string): void;
  /** Stores all collected lines. */
  flush(): Promise<void>;
}

/** @param signal Ends writes that wait for the store. */
export function createRequestLog(store: Store, stage: string, log: Logger, signal: AbortSignal): RequestLog {
  const collected = new Map<string, string[]>();
  let timer: NodeJS.Timeout | undefined;
  // Part of the name, so that two workers of a stage that write in the same millisecond do not overwrite each other. The process id
  // would not be unique, because all containers use the same one.
  const worker = randomBytes(4).toString('hex');

  let writing = Promise.resolve();

  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    writing = writing.then(write);
    return writing;
  };

  const write = async (): Promise<void> => {
    const batches = [...collected];
    collected.clear();
    const timestamp = `${new Date().toISOString().replace(/[:.]/g, '')}-${worker}`;
    for (const [requestId, lines] of batches) {
      const key = requestPrefix(requestId) + metadataPaths.log(stage, timestamp);
      await store
        .put(key, lines.join(''), { headers: { 'content-type': 'application/jsonl' }, signal })
        .catch((error: unknown) => {
          if (error instanceof RequestRemovedError) return;
          log.warn(
            { event: 'request-log:failed', error, request_id: requestId },
            'the log lines of this request could not be stored',
          );
        });
    }
  };

  return {
    flush,
    add(requestId, line) {
      const lines = collected.get(requestId);
      if (lines) lines.push(line);
      else collected.set(requestId, [line]);
      timer ??= setTimeout(() => void flush(), BATCH_INTERVAL_MS).unref();
    },
  };
}
