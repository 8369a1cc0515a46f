import { RetryableError, UnavailableError } from '../../core/errors.ts';
import type { ObjectWriter, PutOptions } from '../contract.ts';
import { computeSha256 } from '../digest.ts';
import { createUploadInParts } from './multipart-upload.ts';
import type { Body, SendRequest } from './request.ts';
import { drainResponse, parseElement, parseEtag, readBody, unquote } from './response.ts';
import type { RunOperation } from './run-operation.ts';
import { encodePath } from './sign.ts';

export function createObjectWriter(bucket: string, send: SendRequest, operate: RunOperation): ObjectWriter {
  const putBody = (key: string, body: Body, { headers = {}, signal }: PutOptions = {}): Promise<{ etag: string }> =>
    operate('put', key, signal, async (onTransfer) => {
      const response = await drainResponse(await send({ method: 'PUT', key, headers, body, signal }));
      onTransfer('out', body.size);
      return { etag: parseEtag(response.headers) };
    });

  const put: ObjectWriter['put'] = (key, text, options) =>
    putBody(key, { data: text, sha256: computeSha256(text), size: Buffer.byteLength(text) }, options);

  return {
    upload: putBody,
    uploadInParts: createUploadInParts(send, operate),
    put,
    putIfAbsent: async (key, text, options = {}) => {
      try {
        return await put(key, text, { ...options, headers: { ...options.headers, 'if-none-match': '*' } });
      } catch (error) {
        if (error instanceof RetryableError && error.code === 'object-changed') return undefined;
        throw error;
      }
    },
    copy: (from, to, { headers = {}, signal } = {}) =>
      operate('copy', to, signal, async () => {
        const copyHeaders = {
          ...headers,
          'x-amz-copy-source': encodePath(`/${bucket}/${from.key}`),
          'x-amz-copy-source-if-match': from.etag,
          'x-amz-metadata-directive': 'REPLACE',
        };
        const xml = (await readBody(await send({ method: 'PUT', key: to, headers: copyHeaders, signal }))).toString();
        // A copy that fails after the response has started answers 200 with an error document.
        const etag = parseElement(xml, 'ETag');
        if (etag === undefined)
          throw new UnavailableError('store-unavailable', `the store did not confirm the copy of ${from.key}`);
        return { etag: unquote(etag) };
      }),
    remove: (key, { signal } = {}) =>
      operate('delete', key, signal, async () => {
        await drainResponse(await send({ method: 'DELETE', key, signal }));
      }),
  };
}
