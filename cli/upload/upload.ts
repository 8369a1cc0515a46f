import { open, type FileHandle } from 'node:fs/promises';
import pRetry from 'p-retry';
import { FaveError, messageOf, RetryableError } from '../../shared/core/errors.ts';
import { digestOf, type Store } from '../../shared/store/store.ts';
import { mapConcurrently } from '../../shared/core/map-concurrently.ts';

const MiB = 1024 ** 2;

/** Bytes up to which a file goes in one request. */
const SINGLE = 64 * MiB;

/** Bytes of a part: a few of them are all that is held in memory, whatever the size of the file. S3 takes 10 000 parts. */
export const partSizeOf = (size: number): number => Math.max(16, Math.ceil(size / 10_000 / MiB)) * MiB;

/** Parts that are under way at once, and how often each is tried. */
const AT_ONCE = 3;
const RETRIES = 4;

export interface Upload {
  readonly path: string;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Called with the bytes that have arrived. */
  readonly progress: (bytes: number) => void;
}

/**
 * Streams a file into the bucket, in parts when it is large. A file that cannot be read, or an abort, leaves nothing there.
 * @throws RetryableError `upload-failed`.
 */
export async function upload(store: Store, what: Upload): Promise<{ etag: string }> {
  const file = await open(what.path);
  try {
    const { size } = await file.stat();
    if (size > SINGLE) return await uploadParts(store, file, size, what);
    const { path, key, headers, signal } = what;
    return await store.upload(key, { path, ...(await digestOf(path)) }, { headers, signal });
  } catch (error) {
    if (error instanceof FaveError || what.signal.aborted) throw error;
    throw new RetryableError('upload-failed', `${what.path} could not be uploaded (${messageOf(error)}): try again`, {
      cause: error,
    });
  } finally {
    await file.close();
  }
}

/** By hand, because minio's own looks for earlier uploads to resume, which takes a right that submitters need not have. */
async function uploadParts(
  { client, bucket }: Store,
  file: FileHandle,
  size: number,
  { key, headers, signal, progress }: Upload,
): Promise<{ etag: string }> {
  const partSize = partSizeOf(size);
  const id = await client.initiateNewMultipartUpload(bucket, key, { ...headers });
  let arrived = 0;
  const part = async (partNumber: number): Promise<{ part: number; etag: string }> => {
    signal.throwIfAborted();
    const payload = await readPart(file, (partNumber - 1) * partSize, Math.min(partSize, size - (partNumber - 1) * partSize));
    const target = { bucketName: bucket, objectName: key, uploadID: id, partNumber, headers: {} };
    const { etag } = await pRetry(() => client.uploadPart(target, payload), { retries: RETRIES, minTimeout: 300, signal });
    progress((arrived += payload.length));
    return { part: partNumber, etag: etag.replaceAll('"', '') };
  };
  try {
    const numbers = Array.from({ length: Math.ceil(size / partSize) }, (_, n) => n + 1);
    return await client.completeMultipartUpload(bucket, key, id, await mapConcurrently(numbers, part, AT_ONCE));
  } catch (error) {
    await client.abortMultipartUpload(bucket, key, id).catch(() => undefined); // the store removes it after a day by itself
    throw error;
  }
}

async function readPart(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  for (let read = 0; read < length;) {
    const { bytesRead } = await file.read(buffer, read, length - read, position + read);
    if (bytesRead === 0) throw new Error('the file became shorter while it was uploaded');
    read += bytesRead;
  }
  return buffer;
}
