import { S3Error } from 'minio';
import { FaveError, messageOf, NotFoundError, PermanentError, RetryableError, UnavailableError } from '../../core/errors.ts';
import type { StoreResult } from '../contract.ts';

const missing = new Set(['NoSuchKey', 'NotFound', 'NoSuchVersion', 'MethodNotAllowed']);

const denied = new Set(['AccessDenied', 'InvalidAccessKeyId', 'SignatureDoesNotMatch']);

const permanent = new Set([
  'EntityTooLarge',
  'InvalidArgument',
  'InvalidRequest',
  'KeyTooLongError',
  'MetadataTooLarge',
  'XMinioInvalidObjectName',
  'XMinioInvalidResourceName',
]);

/** Codes by which a read or a write, which name no path, say that the caller's disk is to blame. */
const local = new Set<unknown>(['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO', 'EROFS']);

/** Whether an error is of the caller's own file: only the system's errors about files have a path. */
function isLocal(error: unknown): boolean {
  return error instanceof Error && ('path' in error || ('code' in error && local.has(error.code)));
}

/** A failure of a request in FAVE's terms; one of the caller's own file as it is. */
export function toStoreError(error: unknown, key: string): unknown {
  if (error instanceof RetryableError || error instanceof PermanentError) return error;
  if (error instanceof Error && error.name === 'AbortError') return error;
  const refusal = error instanceof S3Error ? refused(error, key) : undefined;
  if (refusal) return refusal;
  if (isLocal(error)) return error;
  return new UnavailableError('store-unavailable', `the store does not answer (${messageOf(error)})`, { cause: error });
}

/** What the store's answer means; undefined where it only means that it cannot answer now. */
function refused(cause: S3Error, key: string): FaveError | undefined {
  const code = cause.code ?? '';
  if (missing.has(code)) return new NotFoundError('missing-object', `there is no object ${key} in the bucket`, { cause });
  if (code === 'PreconditionFailed')
    return new RetryableError('object-changed', `${key} is not what it was when it was announced`, { cause });
  if (denied.has(code))
    return new RetryableError(
      'access-denied',
      `the store refuses access to ${key} (${code}): check ARTIFACT_ACCESS_KEY and its policy`,
      { cause },
    );
  if (code === 'NoSuchBucket') return new RetryableError('bucket-not-found', `the bucket does not exist: run set-up`, { cause });
  if (permanent.has(code)) return new PermanentError('store-refused', `the store refused ${key}: ${cause.message}`, { cause });
  return undefined;
}

/** What came of a request that failed. */
export function resultOf(error: unknown): StoreResult {
  if (error instanceof UnavailableError) return 'unavailable';
  if (!(error instanceof FaveError)) return 'aborted';
  const results: Record<string, StoreResult> = {
    'missing-object': 'missing',
    'object-changed': 'changed',
    'access-denied': 'denied',
  };
  return results[error.code] ?? 'refused';
}

/** Nothing instead of the error that there is nothing. */
export function ignoreNotFound(error: unknown): undefined {
  if (error instanceof NotFoundError) return undefined;
  throw error;
}
