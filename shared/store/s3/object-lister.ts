import type { Client } from 'minio';
import type { ObjectLister, StoreObserver } from '../contract.ts';
import { resultOf, toStoreError } from './store-errors.ts';
import { unquoted } from './response.ts';

/** Neither repeated nor timed: whoever reads it sets the pace. */
export function listing(bucket: string, client: Client, observer: StoreObserver | undefined): ObjectLister {
  const below = async function* (prefix: string, deep: boolean): AsyncGenerator {
    try {
      yield* client.listObjectsV2(bucket, prefix, deep);
      observer?.onResponse('list', 'ok');
    } catch (error) {
      const fault = toStoreError(error, prefix);
      observer?.onResponse('list', resultOf(fault));
      throw fault;
    }
  };
  return {
    async *list(prefix) {
      for await (const item of below(prefix, true)) {
        const { name, etag, size, lastModified } = item as { name: string; etag: string; size: number; lastModified: Date };
        yield { key: name, etag: unquoted(etag), size, modified: lastModified };
      }
    },
    async *listPrefixes(prefix) {
      for await (const item of below(prefix, false)) {
        const folder = (item as { prefix?: string }).prefix;
        if (folder !== undefined) yield folder.slice(prefix.length, -1);
      }
    },
  };
}
