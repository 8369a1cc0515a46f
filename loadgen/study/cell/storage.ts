import { createGzip } from 'node:zlib';
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { CellStorage } from '../../../schemas/generated/types.ts';
import { metadataPaths, requestPrefix, splitKey } from '../../../shared/pipeline/keys.ts';
import type { Store } from '../../../shared/store/store.ts';

/** Measures the stored bytes of requests by top-level folder. Other requests, such as those of the warm-up, are excluded. */
export async function measureStorage(store: Store, requestIds: ReadonlySet<string>): Promise<CellStorage> {
  const by_prefix: Record<string, number> = {};
  let [bytes, objects] = [0, 0];
  for await (const { key, size } of store.list('')) {
    const split = splitKey(key);
    if (split && !requestIds.has(split.requestId)) continue;
    const [folder = ''] = (split?.path ?? key).split('/');
    by_prefix[folder] = (by_prefix[folder] ?? 0) + size;
    bytes += size;
    objects += 1;
  }
  return { bytes, objects, by_prefix };
}

/** Writes the log lines of requests to one compressed file, in the order of the requests. */
export async function archiveLogs(store: Store, requestIds: Iterable<string>, path: string): Promise<void> {
  await pipeline(Readable.from(logsOf(store, requestIds)), createGzip(), createWriteStream(path));
}

async function* logsOf(store: Store, requestIds: Iterable<string>): AsyncIterable<string> {
  for (const id of requestIds)
    for await (const { key } of store.list(requestPrefix(id) + metadataPaths.logs)) yield (await store.getText(key))?.text ?? '';
}
