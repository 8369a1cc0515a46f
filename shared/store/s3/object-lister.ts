import type { ListOptions, ObjectLister } from '../contract.ts';
import type { SendRequest } from './request.ts';
import { parseElement, readBody, unquote } from './response.ts';
import type { RunOperation } from './run-operation.ts';

export function createObjectLister(send: SendRequest, operate: RunOperation): ObjectLister {
  /** Yields the pages of a ListObjectsV2 as XML; each page is one operation. */
  async function* pages(prefix: string, query: Record<string, string>, { signal }: ListOptions): AsyncGenerator<string> {
    let token: string | undefined;
    do {
      const page = {
        'list-type': '2',
        'encoding-type': 'url',
        prefix,
        ...query,
        ...(token !== undefined && { 'continuation-token': token }),
      };
      const xml = await operate('list', prefix, signal, async () =>
        (await readBody(await send({ method: 'GET', key: '', query: page, signal }))).toString(),
      );
      yield xml;
      token = parseElement(xml, 'IsTruncated') === 'true' ? parseElement(xml, 'NextContinuationToken') : undefined;
    } while (token !== undefined);
  }

  return {
    async *list(prefix, options = {}) {
      for await (const xml of pages(prefix, {}, options))
        for (const [, entry = ''] of xml.matchAll(/<Contents>(.*?)<\/Contents>/gs)) {
          const text = (name: string): string => parseElement(entry, name) ?? '';
          yield {
            key: decodeKey(text('Key')),
            etag: unquote(text('ETag')),
            size: Number(text('Size')),
            modified: new Date(text('LastModified')),
          };
        }
    },
    async *listPrefixes(prefix, options = {}) {
      for await (const xml of pages(prefix, { delimiter: '/' }, options))
        for (const [, entry = ''] of xml.matchAll(/<CommonPrefixes>(.*?)<\/CommonPrefixes>/gs))
          yield decodeKey(parseElement(entry, 'Prefix') ?? '').slice(prefix.length, -1);
    },
  };
}

/** Decodes a key of a listing with `encoding-type=url`. */
function decodeKey(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}
