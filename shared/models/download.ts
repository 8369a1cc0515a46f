import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PermanentError, RetryableError, messageOf } from '../core/errors.ts';
import type { Model } from './catalogue.ts';

/** Default time without data after which a download fails (ms). */
const IDLE_TIMEOUT_MS = 20_000;

/** Attempts of one download. An attempt after the first one needs data from the one before. */
const MAX_ATTEMPTS = 4;

export interface DownloadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Receives the number of bytes of the file so far. */
  readonly onProgress?: (received: number) => void;
  readonly idleTimeoutMs?: number;
}

/** Data of a file from an offset. */
interface Source {
  /** Offset of the first byte; 0 if the server cannot continue. */
  readonly offset: number;
  /** Version of the file on the server; empty if unknown. */
  readonly etag: string;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/**
 * Downloads a model to `path`. Data is kept in `path.part` until the digest matches, so an interrupted download continues at its end.
 * Only one process may download to a path at a time.
 * @param url URL of the file (http, https, file).
 * @throws PermanentError `wrong-checksum`, after the file was discarded; RetryableError `download-failed`; the reason of `signal`.
 */
export async function downloadModel(
  model: Model,
  url: string,
  path: string,
  { signal, onProgress, idleTimeoutMs = IDLE_TIMEOUT_MS }: DownloadOptions = {},
): Promise<void> {
  const part = `${path}.part`;
  await mkdir(dirname(path), { recursive: true });
  for (let attempt = 1; ; attempt += 1) {
    const before = await sizeOf(part);
    try {
      await receive(url, part, { signal, onProgress, idleTimeoutMs });
      break;
    } catch (error) {
      signal?.throwIfAborted();
      const isUseful = error instanceof RetryableError && (await sizeOf(part)) > before;
      if (!isUseful || attempt === MAX_ATTEMPTS) throw error;
    }
  }
  const [algorithm, expected] = model.sha256 === undefined ? ['sha1', model.sha1] : ['sha256', model.sha256];
  const digest = await computeDigest(part, algorithm);
  await rm(tagOf(part), { force: true });
  if (digest !== expected) {
    await rm(part, { force: true });
    throw new PermanentError(
      'wrong-checksum',
      `${url} returned a file that is not the model "${model.name}": its ${algorithm} is ${digest}, expected ${expected}; the file was discarded`,
    );
  }
  await rename(part, path);
}

/** Appends the missing rest of a file to its part. */
async function receive(
  url: string,
  part: string,
  { signal, onProgress, idleTimeoutMs }: DownloadOptions & { readonly idleTimeoutMs: number },
): Promise<void> {
  const idle = new AbortController();
  const timer = setTimeout(() => {
    idle.abort(new Error(`no data for ${idleTimeoutMs / 1_000} s`));
  }, idleTimeoutMs);
  try {
    const source = await openSource(url, part, AbortSignal.any([idle.signal, ...(signal ? [signal] : [])]));
    await writeFile(tagOf(part), source.etag);
    const file = await open(part, source.offset === 0 ? 'w' : 'a');
    try {
      let received = source.offset;
      for await (const chunk of source.chunks) {
        timer.refresh();
        await file.writeFile(chunk);
        received += chunk.length;
        onProgress?.(received);
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new RetryableError(
      'download-failed',
      `${url} cannot be downloaded: ${messageOf(idle.signal.reason ?? (error as Error).cause ?? error)}`,
      { cause: error },
    );
  } finally {
    clearTimeout(timer);
  }
}

async function openSource(url: string, part: string, signal: AbortSignal): Promise<Source> {
  if (url.startsWith('file:')) return { offset: 0, etag: '', chunks: readLocal(fileURLToPath(url), signal) };
  const offset = await sizeOf(part);
  const etag = await readFile(tagOf(part), 'utf8').catch(() => '');
  // Without If-Range, a file that has changed on the server fails the check of its digest.
  const range = offset === 0 ? {} : { range: `bytes=${offset}-`, ...(/^"/.test(etag) && { 'if-range': etag }) };
  // Compression would change offsets.
  const response = await fetch(url, { headers: { ...range, 'accept-encoding': 'identity' }, signal });
  const continues = response.status === 206 && response.headers.get('content-range')?.startsWith(`bytes ${offset}-`) === true;
  if (response.status === 416) return { offset, etag, chunks: (async function* () {})() }; // the part is complete
  if (!response.body || !(continues || response.status === 200)) throw new Error(`the server returned status ${response.status}`);
  return { offset: continues ? offset : 0, etag: response.headers.get('etag') ?? '', chunks: response.body };
}

/** Opens the file on the first read, because an error before it would be unhandled. */
async function* readLocal(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  yield* createReadStream(path, { signal }) as AsyncIterable<Uint8Array>;
}

/** Returns the path of the file that keeps the version of a part. */
function tagOf(part: string): string {
  return `${part}.etag`;
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

async function computeDigest(path: string, algorithm: string): Promise<string> {
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
