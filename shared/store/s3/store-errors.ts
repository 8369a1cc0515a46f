import {
  codeOf,
  FaveError,
  messageOf,
  NotFoundError,
  PermanentError,
  RetryableError,
  UnavailableError,
} from '../../core/errors.ts';
import type { StoreResult } from '../contract.ts';
import { S3ResponseError } from './response.ts';

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

/** Error codes of the local disk in reads and writes, whose errors have no path. */
const diskErrors = new Set<unknown>(['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO', 'EROFS']);

/** Whether an error concerns a local file: only file system errors have a path. */
function isLocal(error: unknown): boolean {
  return error instanceof Error && ('path' in error || ('code' in error && diskErrors.has(error.code)));
}

/** Converts a failed request to a `FaveError`. Returns aborts and errors of local files unchanged. */
export function toStoreError(error: unknown, key: string): unknown {
  if (error instanceof RetryableError || error instanceof PermanentError) return error;
  if (error instanceof Error && error.name === 'AbortError') return error;
  const refusal = error instanceof S3ResponseError ? toRefusal(error, key) : undefined;
  if (refusal) return refusal;
  if (isLocal(error)) return error;
  return new UnavailableError('store-unavailable', `the store does not answer (${messageOf(error)})`, { cause: error });
}

/** Converts an error response; `undefined` if it only means that the store is unavailable. */
function toRefusal(cause: S3ResponseError, key: string): FaveError | undefined {
  const { code } = cause;
  if (missing.has(code)) return new NotFoundError('missing-object', `object ${key} does not exist in the bucket`, { cause });
  if (code === 'PreconditionFailed')
    return new RetryableError('object-changed', `${key} has changed since it was announced`, { cause });
  if (code === 'RequestTimeTooSkewed')
    return new RetryableError('clock-skewed', `the store refuses requests, because ${explainSkew(cause.clockSkew)}`, { cause });
  if (denied.has(code))
    return new RetryableError(
      'access-denied',
      `the store denies access to ${key} (${code}): check ARTIFACT_ACCESS_KEY and its policy`,
      { cause },
    );
  if (code === 'NoSuchBucket')
    return new RetryableError('bucket-not-found', `the bucket does not exist: npm start creates it`, { cause });
  if (permanent.has(code)) return new PermanentError('store-refused', `the store rejected ${key}: ${cause.message}`, { cause });
  return undefined;
}

function explainSkew(seconds: number): string {
  const minutes = Math.round(Math.abs(seconds) / 60);
  return minutes === 0
    ? 'the clock of this machine differs from that of the store: set the one that is wrong'
    : `the clock of this machine is ${minutes} minutes ${seconds > 0 ? 'behind' : 'ahead of'} that of the store: set the one that is wrong`;
}

/** Returns the result of a failed request, for metrics and traces. */
export function toStoreResult(error: unknown): StoreResult {
  if (error instanceof UnavailableError) return 'unavailable';
  if (!(error instanceof FaveError)) return 'aborted';
  const results: Readonly<Record<string, StoreResult>> = {
    'missing-object': 'missing',
    'object-changed': 'changed',
    'access-denied': 'denied',
    'clock-skewed': 'denied',
  };
  return results[codeOf(error)] ?? 'refused';
}

/** Returns `undefined` for a missing object; throws any other error again. */
export function ignoreNotFound(error: unknown): undefined {
  if (error instanceof NotFoundError) return undefined;
  throw error;
}
