import { open, type FileHandle } from 'node:fs/promises';
import { UnavailableError } from '../../core/errors.ts';
import { mapConcurrently } from '../../core/map-concurrently.ts';
import type { ObjectWriter } from '../contract.ts';
import { computeSha256 } from '../digest.ts';
import type { SendRequest } from './request.ts';
import { drainResponse, parseElement, parseEtag, readBody, unquote } from './response.ts';
import type { RunOperation } from './run-operation.ts';

const MiB = 1024 ** 2;

/** Number of parts that are sent concurrently. */
const CONCURRENT_PARTS = 3;

/** Returns the size of a part in bytes: at least 16 MiB, and so large that 10 000 parts, S3's limit, hold the file. */
export function computePartSize(fileSize: number): number {
  return Math.max(16, Math.ceil(fileSize / 10_000 / MiB)) * MiB;
}

/** Creates the upload in parts. After a failure or an abort it removes the parts, so that no object and no storage remain. */
export function createUploadInParts(send: SendRequest, operate: RunOperation): ObjectWriter['uploadInParts'] {
  return async (key, path, { headers = {}, signal, onProgress } = {}) => {
    const post = (query: Record<string, string>, body: string): Promise<string> =>
      operate('put', key, signal, async () => {
        const content = { data: body, sha256: computeSha256(body), size: Buffer.byteLength(body) };
        const request = { method: 'POST', key, query, body: content, signal } as const;
        return (await readBody(await send({ ...request, ...('uploads' in query && { headers }) }))).toString();
      });
    const required = (xml: string, element: string): string => {
      const text = parseElement(xml, element);
      if (text === undefined) throw new UnavailableError('store-unavailable', `the store did not confirm the upload of ${key}`);
      return text;
    };

    const file = await open(path);
    try {
      const { size } = await file.stat();
      const partSize = computePartSize(size);
      const uploadId = required(await post({ uploads: '' }, ''), 'UploadId');
      let sent = 0;
      const sendPart = async (partNumber: number): Promise<string> => {
        const start = (partNumber - 1) * partSize;
        const data = await readPart(file, start, Math.min(partSize, size - start));
        const body = { data, sha256: computeSha256(data), size: data.length };
        const query = { partNumber: String(partNumber), uploadId };
        const etag = await operate('put', key, signal, async (onTransfer) => {
          const response = await drainResponse(await send({ method: 'PUT', key, query, body, signal }));
          onTransfer('out', data.length);
          return parseEtag(response.headers);
        });
        onProgress?.((sent += data.length));
        return `<Part><PartNumber>${partNumber}</PartNumber><ETag>"${etag}"</ETag></Part>`;
      };
      try {
        const numbers = Array.from({ length: Math.ceil(size / partSize) }, (_, n) => n + 1);
        const parts = await mapConcurrently(numbers, sendPart, CONCURRENT_PARTS);
        const document = `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`;
        return { etag: unquote(required(await post({ uploadId }, document), 'ETag')) };
      } catch (error) {
        // The store removes parts of an unfinished upload after a day.
        await send({ method: 'DELETE', key, query: { uploadId } })
          .then(drainResponse)
          .catch(() => undefined);
        throw error;
      }
    } finally {
      await file.close();
    }
  };
}

async function readPart(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  for (let read = 0; read < length;) {
    const { bytesRead } = await file.read(buffer, read, length - read, position + read);
    if (bytesRead === 0) throw new Error('the file became shorter during the upload');
    read += bytesRead;
  }
  return buffer;
}
