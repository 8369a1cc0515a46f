import type { Client } from 'minio';
import type { Digest } from './digest.ts';

export interface StoredObject {
  readonly key: string;
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
  readonly versionId?: string;
  /** Response headers, the user metadata among them. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface PutOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface ReadOptions {
  /** Only this version of the object's content. */
  readonly etag?: string;
  readonly versionId?: string;
  readonly signal?: AbortSignal;
}

/** Reads objects. */
export interface ObjectReader {
  head(key: string, options?: ReadOptions): Promise<StoredObject | undefined>;
  /** The object's text, for objects known to be small; undefined where there is none. */
  getText(key: string, options?: ReadOptions): Promise<{ text: string; etag: string } | undefined>;
  /** As {@link getText}, for an object that most often is not there: asks by HEAD first, whose refusal has no body to parse and costs half. */
  getTextAfterHead(key: string, options?: ReadOptions): Promise<{ text: string; etag: string } | undefined>;
  /** Streams the object into a file. @throws RetryableError `object-changed` when its etag is another, PermanentError `missing-object`. */
  download(key: string, path: string, options?: ReadOptions): Promise<void>;
}

/** Makes and removes objects. */
export interface ObjectWriter {
  /** Streams a file into the bucket in one request. */
  upload(key: string, file: Digest & { path: string }, options?: PutOptions): Promise<{ etag: string }>;
  put(key: string, text: string, options?: PutOptions): Promise<{ etag: string }>;
  /** Puts an object only where none is; undefined where one was already. */
  putIfAbsent(key: string, text: string, options?: PutOptions): Promise<{ etag: string } | undefined>;
  /** Copies inside the store, with new headers. @throws RetryableError `object-changed` where the source is another, PermanentError `missing-object`. */
  copy(from: { key: string; etag: string }, to: string, options?: PutOptions): Promise<{ etag: string }>;
  remove(key: string): Promise<void>;
}

/** Tells what there is. */
export interface ObjectLister {
  list(prefix: string): AsyncIterable<{ key: string; etag: string; size: number; modified: Date }>;
  /** Names of the folders right below a prefix, without the slash. */
  listPrefixes(prefix: string): AsyncIterable<string>;
}

/**
 * The bucket. Every call waits for a store that does not answer, until its signal aborts or half a minute ends.
 * Errors: `UnavailableError` when the wait was in vain, `RetryableError` `access-denied`, `PermanentError` otherwise.
 */
export interface Store extends ObjectReader, ObjectWriter, ObjectLister {
  readonly bucket: string;
  /** The MinIO client, for what only set-up does (rules, lifecycle, versioning). */
  readonly client: Client;
  close(): void;
}

export type StoreOperation = 'head' | 'get' | 'put' | 'copy' | 'list' | 'delete';

/** What may come of a request to the store; `aborted`: whoever asked no longer waits. */
export const storeResults = ['ok', 'missing', 'changed', 'denied', 'refused', 'unavailable', 'aborted'] as const;
export type StoreResult = (typeof storeResults)[number];

/** Hears of every request to the store, tries that are repeated included. */
export interface StoreObserver {
  onResponse(operation: StoreOperation, result: StoreResult, seconds?: number): void;
  /** @param amount Bytes of content that were read from the store (in) or written to it (out). */
  onTransfer(direction: 'in' | 'out', amount: number): void;
}
