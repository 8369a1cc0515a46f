import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { UnavailableError } from '../../core/errors.ts';
import type { SignedRequest } from './connection.ts';
import type { ObjectReader, ReadOptions } from '../contract.ts';
import { ignoreNotFound } from './store-errors.ts';
import type { RunOperation } from './run-operation.ts';
import { contentOf, drained, etagOf } from './response.ts';

export function reading(request: SignedRequest, operate: RunOperation): ObjectReader {
  const get = (method: 'GET' | 'HEAD', key: string, { etag, versionId, signal }: ReadOptions): Promise<IncomingMessage> =>
    request(
      {
        method,
        key,
        headers: etag === undefined ? {} : { 'if-match': `"${etag}"` },
        query: versionId === undefined ? '' : `versionId=${encodeURIComponent(versionId)}`,
      },
      signal,
    );

  const head: ObjectReader['head'] = (key, options = {}) =>
    operate('head', key, options.signal, async () => {
      const { headers } = await drained(await get('HEAD', key, options));
      const versionId = headers['x-amz-version-id'] as string | undefined;
      return {
        key,
        etag: etagOf(headers),
        size: Number(headers['content-length'] ?? 0),
        headers: headers as Record<string, string>,
        ...(versionId !== undefined && { versionId }),
      };
    }).catch(ignoreNotFound);

  const text: ObjectReader['getText'] = (key, options = {}) =>
    operate('get', key, options.signal, async (moved) => {
      const response = await get('GET', key, options);
      const content = await contentOf(response);
      moved('in', content.length);
      return { text: content.toString('utf8'), etag: etagOf(response.headers) };
    }).catch(ignoreNotFound);

  return {
    head,
    getText: text,
    getTextAfterHead: async (key, options) => ((await head(key, options)) ? text(key, options) : undefined),
    download: (key, path, options = {}) =>
      operate('get', key, options.signal, async (moved) => {
        const response = await get('GET', key, options);
        await pipeline(response, createWriteStream(path));
        const expected = Number(response.headers['content-length']);
        const { size } = await stat(path);
        if (size !== expected)
          throw new UnavailableError('store-unavailable', `${key} broke off after ${size} of ${expected} bytes`);
        moved('in', size);
      }),
  };
}
