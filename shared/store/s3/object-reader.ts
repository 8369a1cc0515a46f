import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { UnavailableError } from '../../core/errors.ts';
import type { Request } from './connection.ts';
import type { Reading, ReadOptions } from '../contract.ts';
import { absent } from './store-errors.ts';
import type { Operate } from './run-operation.ts';
import { contentOf, drained, etagOf } from './response.ts';

export function reading(request: Request, operate: Operate): Reading {
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

  const head: Reading['head'] = (key, options = {}) =>
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
    }).catch(absent);

  const text: Reading['text'] = (key, options = {}) =>
    operate('get', key, options.signal, async (moved) => {
      const response = await get('GET', key, options);
      const content = await contentOf(response);
      moved('in', content.length);
      return { text: content.toString('utf8'), etag: etagOf(response.headers) };
    }).catch(absent);

  return {
    head,
    text,
    rareText: async (key, options) => ((await head(key, options)) ? text(key, options) : undefined),
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
