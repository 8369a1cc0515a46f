import type { Client } from 'minio';
import type { Listing, StoreObserver } from '../contract.ts';
import { resultOf, translated } from './store-errors.ts';
import { unquoted } from './response.ts';

/** Neither repeated nor timed: whoever reads it sets the pace. */
export function listing(bucket: string, client: Client, observer: StoreObserver | undefined): Listing {
  const below = async function* (prefix: string, deep: boolean): AsyncGenerator {
    try {
      yield* client.listObjectsV2(bucket, prefix, deep);
      observer?.answered('list', 'ok');
    } catch (error) {
      const fault = translated(error, prefix);
      observer?.answered('list', resultOf(fault));
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
    async *folders(prefix) {
      for await (const item of below(prefix, false)) {
        const folder = (item as { prefix?: string }).prefix;
        if (folder !== undefined) yield folder.slice(prefix.length, -1);
      }
    },
  };
}
