import { stat } from 'node:fs/promises';
import { FaveError, messageOf, RetryableError } from '../../shared/core/errors.ts';
import { digestFile, type Store } from '../../shared/store/store.ts';

/** Largest file that is uploaded in one request, in bytes. */
const MAX_SINGLE_UPLOAD_BYTES = 64 * 1024 ** 2;

export interface UploadOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Receives the number of bytes uploaded so far; only for a file that is uploaded in parts. */
  readonly onProgress: (bytes: number) => void;
}

/** Uploads a file, in parts if it is large. A failure or an abort leaves no object. @throws RetryableError `upload-failed`. */
export async function upload(store: Store, key: string, path: string, options: UploadOptions): Promise<{ etag: string }> {
  try {
    const { size } = await stat(path);
    if (size > MAX_SINGLE_UPLOAD_BYTES) return await store.uploadInParts(key, path, options);
    return await store.upload(key, { path, ...(await digestFile(path)) }, options);
  } catch (cause) {
    if (cause instanceof FaveError || options.signal.aborted) throw cause;
    throw new RetryableError('upload-failed', `${path} could not be uploaded (${messageOf(cause)}): try again`, { cause });
  }
}
