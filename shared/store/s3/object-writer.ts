import { RetryableError, UnavailableError } from '../../core/errors.ts';
import type { Body, Connection } from './connection.ts';
import type { PutOptions, ObjectWriter } from '../contract.ts';
import { sha256Of } from '../digest.ts';
import type { RunOperation } from './run-operation.ts';
import { contentOf, drained, etagOf } from './response.ts';

export function writing(bucket: string, { request, client }: Connection, operate: RunOperation): ObjectWriter {
  const send = (key: string, body: Body, size: number, { headers, signal }: PutOptions = {}): Promise<{ etag: string }> =>
    operate('put', key, signal, async (moved) => {
      const sent = { ...headers, 'content-length': String(size) };
      const response = await drained(await request({ method: 'PUT', key, headers: sent }, signal, body));
      moved('out', size);
      return { etag: etagOf(response.headers) };
    });

  const put: ObjectWriter['put'] = (key, text, options) =>
    send(key, { data: text, sha256: sha256Of(text) }, Buffer.byteLength(text), options);

  return {
    upload: (key, { path, sha256, size }, options) => send(key, { path, sha256 }, size, options),
    put,
    putIfAbsent: async (key, text, options = {}) => {
      try {
        return await put(key, text, { ...options, headers: { ...options.headers, 'if-none-match': '*' } });
      } catch (error) {
        if (error instanceof RetryableError && error.code === 'object-changed') return undefined;
        throw error;
      }
    },
    copy: (from, to, { headers, signal } = {}) =>
      operate('copy', to, signal, async () => {
        const sent = {
          ...headers,
          'x-amz-copy-source': encodeURI(`/${bucket}/${from.key}`),
          'x-amz-copy-source-if-match': from.etag,
          'x-amz-metadata-directive': 'REPLACE',
        };
        const answer = await contentOf(await request({ method: 'PUT', key: to, headers: sent }, signal));
        const etag = /<ETag>(?:&#34;|&quot;|")?([^<&"]+)/.exec(answer.toString())?.[1];
        if (etag === undefined) throw new UnavailableError('store-unavailable', `copying ${from.key} was not confirmed`);
        return { etag };
      }),
    remove: (key) => operate('delete', key, undefined, () => client.removeObject(bucket, key)),
  };
}
