import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import * as http from 'node:http';
import * as https from 'node:https';
import { pipeline } from 'node:stream/promises';
import { Client, S3Error, type ClientOptions } from 'minio';
import pRetry from 'p-retry';
import type { StoreConfig } from './config.ts';
import { Fault, messageOf, PermanentError, RetryableError, UnavailableError } from './errors.ts';

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

/**
 * The bucket. Every call waits for a store that does not answer, until its signal aborts or {@link PATIENCE} ends.
 * Errors: `UnavailableError` when the wait was in vain, `RetryableError` `access-denied`, `PermanentError` otherwise.
 */
export interface Store {
  readonly bucket: string;
  /** The MinIO client, for what only set-up does (rules, lifecycle, versioning). */
  readonly client: Client;
  head(key: string, options?: ReadOptions): Promise<StoredObject | undefined>;
  /** The object's text, for objects known to be small; undefined where there is none. */
  text(key: string, options?: ReadOptions): Promise<{ text: string; etag: string } | undefined>;
  /** As {@link text}, for an object that most often is not there: asks by HEAD first, whose refusal has no body to parse and costs half. */
  rareText(key: string, options?: ReadOptions): Promise<{ text: string; etag: string } | undefined>;
  /** Streams the object into a file. @throws RetryableError `object-changed` when its etag is another, PermanentError `missing-object`. */
  download(key: string, path: string, options?: ReadOptions): Promise<void>;
  /** Streams a file into the bucket in one request. */
  upload(key: string, file: Digest & { path: string }, options?: PutOptions): Promise<{ etag: string }>;
  put(key: string, text: string, options?: PutOptions): Promise<{ etag: string }>;
  /** Puts an object only where none is; undefined where one was already. */
  create(key: string, text: string, options?: PutOptions): Promise<{ etag: string } | undefined>;
  /** Copies inside the store, with new headers. @throws RetryableError `object-changed` where the source is another, PermanentError `missing-object`. */
  copy(from: { key: string; etag: string }, to: string, options?: PutOptions): Promise<{ etag: string }>;
  list(prefix: string): AsyncIterable<{ key: string; etag: string; size: number; modified: Date }>;
  /** Names of the folders right below a prefix, without the slash. */
  folders(prefix: string): AsyncIterable<string>;
  remove(key: string): Promise<void>;
  close(): void;
}

export type StoreOperation = 'head' | 'get' | 'put' | 'copy' | 'list' | 'delete';

/** What may come of a request to the store; `aborted`: whoever asked no longer waits. */
export const storeResults = ['ok', 'missing', 'changed', 'denied', 'refused', 'unavailable', 'aborted'] as const;
export type StoreResult = (typeof storeResults)[number];

/** Hears of every request to the store, tries that are repeated included. */
export interface StoreObserver {
  answered(operation: StoreOperation, result: StoreResult, seconds?: number): void;
  /** @param amount Bytes of content that were read from the store (in) or written to it (out). */
  moved(direction: 'in' | 'out', amount: number): void;
}

export interface Digest {
  /** Hexadecimal. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

/** Milliseconds that a call without a signal waits for a store that does not answer. */
const PATIENCE = 30_000;

/** Milliseconds without a byte after which a request counts as lost. A store that syncs events waits up to 5 s for a hung broker. */
const SILENCE = 20_000;

export function createStore(config: StoreConfig, observer?: StoreObserver): Store {
  const { client, agent } = connect(config);
  const { bucket } = config;
  const patiently = patience(observer);

  /** One signed request; its body is drained by the caller. Minio's own helpers know no If-Match, no constant-memory PUT and no signal. */
  const request = async (
    options: { method: string; key: string; headers?: Record<string, string>; query?: string },
    body: { data: string; sha256: string } | { path: string; sha256: string } = { data: '', sha256: EMPTY },
    signal?: AbortSignal,
  ): Promise<http.IncomingMessage> => {
    signal?.throwIfAborted();
    const { method, key, headers = {}, query = '' } = options;
    const payload = 'path' in body ? createReadStream(body.path) : body.data;
    const digest = agent instanceof https.Agent ? '' : body.sha256;
    const expected = [200, 204, 206];
    const sent = client.makeRequestStreamAsync(
      { method, bucketName: bucket, objectName: key, headers, query },
      payload,
      digest,
      expected,
      config.region,
    );
    const response = await sent;
    const stop = (): void => void response.destroy();
    signal?.addEventListener('abort', stop, { once: true });
    response.once('close', () => signal?.removeEventListener('abort', stop));
    return response;
  };

  const put = async (
    key: string,
    body: Parameters<typeof request>[1] & object,
    size: number,
    { headers, signal }: PutOptions = {},
  ) => {
    const sent = { ...headers, 'content-length': String(size) };
    const response = await patiently('put', signal, key, async () =>
      drained(await request({ method: 'PUT', key, headers: sent }, body, signal)),
    );
    observer?.moved('out', size);
    return { etag: etagOf(response.headers) };
  };

  const get = (method: 'GET' | 'HEAD', key: string, { etag, versionId, signal }: ReadOptions): Promise<http.IncomingMessage> =>
    request(
      {
        method,
        key,
        headers: etag === undefined ? {} : { 'if-match': `"${etag}"` },
        query: versionId === undefined ? '' : `versionId=${encodeURIComponent(versionId)}`,
      },
      undefined,
      signal,
    );

  const head: Store['head'] = (key, options = {}) =>
    patiently('head', options.signal, key, async () => {
      const response = await drained(await get('HEAD', key, options));
      const versionId = response.headers['x-amz-version-id'] as string | undefined;
      return {
        key,
        etag: etagOf(response.headers),
        size: Number(response.headers['content-length'] ?? 0),
        headers: response.headers as Record<string, string>,
        ...(versionId !== undefined && { versionId }),
      };
    }).catch(absent);

  const text: Store['text'] = (key, options = {}) =>
    patiently('get', options.signal, key, async () => {
      const response = await get('GET', key, options);
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      const content = Buffer.concat(chunks);
      observer?.moved('in', content.length);
      return { text: content.toString('utf8'), etag: etagOf(response.headers) };
    }).catch(absent);

  /** Not timed: whoever reads it sets the pace. */
  const listing = async function* (prefix: string, deep: boolean): AsyncGenerator {
    try {
      yield* client.listObjectsV2(bucket, prefix, deep);
      observer?.answered('list', 'ok');
    } catch (error) {
      const fault = translated(error, prefix);
      observer?.answered('list', resultOf(fault));
      throw fault;
    }
  };

  return {
    bucket,
    client,
    head,
    text,
    rareText: async (key, options) => ((await head(key, options)) ? text(key, options) : undefined),
    download: (key, path, options = {}) =>
      patiently('get', options.signal, key, async () => {
        const response = await get('GET', key, options);
        await pipeline(response, createWriteStream(path), ...(options.signal ? [{ signal: options.signal }] : []));
        const expected = Number(response.headers['content-length']);
        const { size } = await stat(path);
        if (size !== expected)
          throw new UnavailableError('store-unavailable', `${key} broke off after ${size} of ${expected} bytes`);
        observer?.moved('in', size);
      }),
    upload: (key, { path, sha256, size }, options) => put(key, { path, sha256 }, size, options),
    put: (key, text, options) => put(key, { data: text, sha256: sha256Of(text) }, Buffer.byteLength(text), options),
    create: async (key, text, options = {}) => {
      const headers = { ...options.headers, 'if-none-match': '*' };
      try {
        return await put(key, { data: text, sha256: sha256Of(text) }, Buffer.byteLength(text), { ...options, headers });
      } catch (error) {
        if (error instanceof RetryableError && error.code === 'object-changed') return undefined;
        throw error;
      }
    },
    copy: (from, to, { headers, signal } = {}) =>
      patiently('copy', signal, to, async () => {
        const sent = {
          ...headers,
          'x-amz-copy-source': encodeURI(`/${bucket}/${from.key}`),
          'x-amz-copy-source-if-match': from.etag,
          'x-amz-metadata-directive': 'REPLACE',
        };
        const response = await request({ method: 'PUT', key: to, headers: sent }, undefined, signal);
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk as Buffer);
        const etag = /<ETag>(?:&#34;|&quot;|")?([^<&"]+)/.exec(Buffer.concat(chunks).toString())?.[1];
        if (etag === undefined) throw new UnavailableError('store-unavailable', `copying ${from.key} was not confirmed`);
        return { etag };
      }),
    async *list(prefix) {
      for await (const item of listing(prefix, true)) {
        const { name, etag, size, lastModified } = item as { name: string; etag: string; size: number; lastModified: Date };
        yield { key: name, etag: unquoted(etag), size, modified: lastModified };
      }
    },
    async *folders(prefix) {
      for await (const item of listing(prefix, false)) {
        const folder = (item as { prefix?: string }).prefix;
        if (folder !== undefined) yield folder.slice(prefix.length, -1);
      }
    },
    remove: (key) =>
      patiently('delete', undefined, key, async () => {
        await client.removeObject(bucket, key);
      }),
    close: () => {
      agent.destroy();
    },
  };
}

/** Size and SHA-256 of a file, read once as a stream. */
export async function digestOf(path: string): Promise<Digest> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 })) {
    hash.update(chunk as Buffer);
    size += (chunk as Buffer).length;
  }
  return { sha256: hash.digest('hex'), size };
}

export function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

const EMPTY = sha256Of('');

function connect(config: StoreConfig): { client: Client; agent: http.Agent } {
  const url = new URL(config.endpoint);
  const secure = url.protocol === 'https:';
  const agent = secure
    ? new https.Agent({ keepAlive: true, ...(config.ca !== undefined && { ca: readFileSync(config.ca) }) })
    : new http.Agent({ keepAlive: true });
  const transport = {
    request(options: http.RequestOptions, listener: (response: http.IncomingMessage) => void) {
      const sent = (secure ? https : http).request({ ...options, agent, timeout: SILENCE }, listener);
      sent.on('timeout', () => sent.destroy(new Error(`no answer for ${SILENCE / 1000} s`)));
      return sent;
    },
  };
  const client = new Client({
    endPoint: url.hostname,
    ...(url.port !== '' && { port: Number(url.port) }),
    useSSL: secure,
    accessKey: config.accessKey,
    secretKey: config.secretKey,
    region: config.region,
    pathStyle: config.pathStyle,
    transport: transport as unknown as NonNullable<ClientOptions['transport']>,
    retryOptions: { disableRetry: true },
  });
  return { client, agent };
}

type Patiently = <T>(
  operation: StoreOperation,
  signal: AbortSignal | undefined,
  key: string,
  call: () => Promise<T>,
) => Promise<T>;

/** Repeats calls to a store that does not answer. */
function patience(observer: StoreObserver | undefined): Patiently {
  return async (operation, signal, key, call) => {
    let lastError: unknown;
    const once = async (): Promise<Awaited<ReturnType<typeof call>>> => {
      const begun = performance.now();
      const answered = (result: StoreResult): void => observer?.answered(operation, result, (performance.now() - begun) / 1_000);
      try {
        const value = await call();
        answered('ok');
        return value;
      } catch (error) {
        lastError = translated(error, key);
        answered(resultOf(lastError));
        throw lastError;
      }
    };
    try {
      return await pRetry(once, {
        retries: Infinity,
        minTimeout: 100,
        maxTimeout: 3_000,
        randomize: true,
        ...(signal ? { signal } : { maxRetryTime: PATIENCE }),
        shouldRetry: ({ error }) => error instanceof UnavailableError,
      });
    } catch (error) {
      // A deadline that passed while the store was away is the store's fault, not the item's.
      if (lastError instanceof UnavailableError) throw lastError;
      signal?.throwIfAborted();
      throw error;
    }
  };
}

/** What came of a request that failed. */
function resultOf(error: unknown): StoreResult {
  if (error instanceof UnavailableError) return 'unavailable';
  if (!(error instanceof Fault)) return 'aborted';
  const results: Record<string, StoreResult> = {
    'missing-object': 'missing',
    'object-changed': 'changed',
    'access-denied': 'denied',
  };
  return results[error.code] ?? 'refused';
}

/** A failure of a request in FAVE's terms. */
function translated(error: unknown, key: string): unknown {
  if (error instanceof RetryableError || error instanceof PermanentError) return error;
  if (error instanceof Error && error.name === 'AbortError') return error;
  if (error instanceof S3Error) {
    const code = error.code ?? '';
    if (['NoSuchKey', 'NotFound', 'NoSuchVersion', 'MethodNotAllowed'].includes(code)) {
      return new PermanentError('missing-object', `there is no object ${key} in the bucket`, { cause: error });
    }
    if (code === 'PreconditionFailed')
      return new RetryableError('object-changed', `${key} is not what it was when it was announced`, { cause: error });
    if (['AccessDenied', 'InvalidAccessKeyId', 'SignatureDoesNotMatch'].includes(code)) {
      return new RetryableError(
        'access-denied',
        `the store refuses access to ${key} (${code}): check ARTIFACT_ACCESS_KEY and its policy`,
        { cause: error },
      );
    }
    if (code === 'NoSuchBucket')
      return new RetryableError('no-bucket', `the bucket does not exist: run set-up`, { cause: error });
    if (permanentCodes.has(code))
      return new PermanentError('store-refused', `the store refused ${key}: ${error.message}`, { cause: error });
  }
  if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return error; // the caller's disk, not the store
  return new UnavailableError('store-unavailable', `the store does not answer (${messageOf(error)})`, { cause: error });
}

const permanentCodes = new Set([
  'EntityTooLarge',
  'InvalidArgument',
  'InvalidRequest',
  'KeyTooLongError',
  'MetadataTooLarge',
  'XMinioInvalidObjectName',
  'XMinioInvalidResourceName',
]);

function absent(error: unknown): undefined {
  if (error instanceof PermanentError && error.code === 'missing-object') return undefined;
  throw error;
}

async function drained(response: http.IncomingMessage): Promise<http.IncomingMessage> {
  response.resume();
  if (!response.complete) await new Promise((resolve, reject) => response.once('end', resolve).once('error', reject));
  return response;
}

function etagOf(headers: http.IncomingHttpHeaders): string {
  return unquoted(headers.etag ?? '');
}

function unquoted(etag: string): string {
  return etag.replaceAll('"', '');
}
