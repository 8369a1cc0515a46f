import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { UnavailableError } from '../../core/errors.ts';
import type { ObjectReader, ReadOptions } from '../contract.ts';
import type { SendRequest } from './request.ts';
import { drainResponse, parseEtag, readBody } from './response.ts';
import type { RunOperation } from './run-operation.ts';
import { ignoreNotFound } from './store-errors.ts';

export function createObjectReader(send: SendRequest, operate: RunOperation): ObjectReader {
  const request = (
    method: 'GET' | 'HEAD',
    key: string,
    { etag, versionId, signal }: ReadOptions,
    range?: string,
  ): Promise<IncomingMessage> =>
    send({
      method,
      key,
      headers: { ...(etag !== undefined && { 'if-match': `"${etag}"` }), ...(range !== undefined && { range }) },
      query: versionId === undefined ? {} : { versionId },
      signal,
    });

  const head: ObjectReader['head'] = (key, options = {}) =>
    operate('head', key, options.signal, async () => {
      const { headers } = await drainResponse(await request('HEAD', key, options));
      const versionId = headers['x-amz-version-id'] as string | undefined;
      return {
        key,
        etag: parseEtag(headers),
        size: Number(headers['content-length'] ?? 0),
        headers: headers as Record<string, string>,
        ...(versionId !== undefined && { versionId }),
      };
    }).catch(ignoreNotFound);

  const getText: ObjectReader['getText'] = (key, options = {}) =>
    operate('get', key, options.signal, async (onTransfer) => {
      const response = await request('GET', key, options);
      const content = await readBody(response);
      onTransfer('in', content.length);
      return { text: content.toString('utf8'), etag: parseEtag(response.headers) };
    }).catch(ignoreNotFound);

  return {
    head,
    getText,
    getStart: (key, length, options = {}) =>
      operate('get', key, options.signal, async (onTransfer) => {
        const response = await request('GET', key, options, `bytes=0-${length - 1}`);
        const bytes = await readBody(response);
        onTransfer('in', bytes.length);
        const versionId = response.headers['x-amz-version-id'] as string | undefined;
        return { bytes, ...(versionId !== undefined && { versionId }) };
      }).catch(ignoreNotFound),
    getTextAfterHead: async (key, options) => ((await head(key, options)) ? getText(key, options) : undefined),
    download: (key, path, options = {}) =>
      operate('get', key, options.signal, async (onTransfer) => {
        const response = await request('GET', key, options);
        await pipeline(response, createWriteStream(path));
        const expected = Number(response.headers['content-length']);
        const { size } = await stat(path);
        if (size !== expected)
          throw new UnavailableError('store-unavailable', `the download of ${key} ended after ${size} of ${expected} bytes`);
        onTransfer('in', size);
      }),
  };
}
