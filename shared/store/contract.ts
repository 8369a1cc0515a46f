import type { Digest } from './digest.ts';

/** Interface of a store provider. Nothing here depends on a provider; `s3/` is the first one. */
export interface Store extends ObjectReader, ObjectWriter, ObjectLister {
  readonly bucket: string;
  close(): void;
}

/**
 * Every call retries while the store is unavailable, until its signal aborts or, without a signal, for 30 s.
 * Errors: `UnavailableError` if the store stayed unavailable, `RetryableError` `access-denied`, `PermanentError` otherwise.
 */
export interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface StoredObject {
  readonly key: string;
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
  readonly versionId?: string;
  /** Response headers, including the user metadata. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface PutOptions extends CallOptions {
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ReadOptions extends CallOptions {
  /** Reads only content with this ETag. */
  readonly etag?: string;
  readonly versionId?: string;
}

export type ListOptions = CallOptions;

export interface ObjectReader {
  head(key: string, options?: ReadOptions): Promise<StoredObject | undefined>;
  /** Returns the text of a small object, or `undefined` if it does not exist. */
  getText(key: string, options?: ReadOptions): Promise<{ text: string; etag: string } | undefined>;
  /** Same as {@link getText}, for an object that usually does not exist: a HEAD request first costs half of a failed GET. */
  getTextAfterHead(key: string, options?: ReadOptions): Promise<{ text: string; etag: string } | undefined>;
  /** Returns the first `length` bytes of an object that is not empty, and its version; `undefined` if it does not exist. */
  getStart(key: string, length: number, options?: ReadOptions): Promise<{ bytes: Buffer; versionId?: string } | undefined>;
  /** Streams an object into a file. @throws RetryableError `object-changed` if the ETag differs, PermanentError `missing-object`. */
  download(key: string, path: string, options?: ReadOptions): Promise<void>;
}

export interface ObjectWriter {
  /** Streams a file into the bucket in one request. */
  upload(key: string, file: Digest & { readonly path: string }, options?: PutOptions): Promise<{ etag: string }>;
  /** Streams a large file into the bucket in parts. @param options `onProgress` receives the number of bytes sent so far. */
  uploadInParts(
    key: string,
    path: string,
    options?: PutOptions & { readonly onProgress?: (bytes: number) => void },
  ): Promise<{ etag: string }>;
  put(key: string, text: string, options?: PutOptions): Promise<{ etag: string }>;
  /** Creates an object. Returns `undefined` if the key exists already. */
  putIfAbsent(key: string, text: string, options?: PutOptions): Promise<{ etag: string } | undefined>;
  /** Copies an object inside the store, with new headers. @throws RetryableError `object-changed`, PermanentError `missing-object`. */
  copy(from: { key: string; etag: string }, to: string, options?: PutOptions): Promise<{ etag: string }>;
  /** Removes an object. Ignores a missing one. */
  remove(key: string, options?: CallOptions): Promise<void>;
}

export interface ObjectLister {
  list(prefix: string, options?: ListOptions): AsyncIterable<{ key: string; etag: string; size: number; modified: Date }>;
  /** Lists the folders directly below a prefix, without the slash. */
  listPrefixes(prefix: string, options?: ListOptions): AsyncIterable<string>;
}

export type StoreOperation = 'head' | 'get' | 'put' | 'copy' | 'list' | 'delete';

/** Results of a request to the store; `aborted`: the caller's signal aborted it. */
export const storeResults = ['ok', 'missing', 'changed', 'denied', 'refused', 'unavailable', 'aborted'] as const;
export type StoreResult = (typeof storeResults)[number];

/** Receives every request to the store, retries included. */
export interface StoreObserver {
  onResponse(operation: StoreOperation, result: StoreResult, seconds: number): void;
  /** @param amount Size of the content that was read from the store (`in`) or written to it (`out`), in bytes. */
  onTransfer(direction: 'in' | 'out', amount: number): void;
}
