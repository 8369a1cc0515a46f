import { open, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import type { Request, RequestState } from '../../schemas/generated/types.ts';
import { kinds } from '../../schemas/kinds.ts';
import type { ErrorCode } from '../core/error-codes.ts';
import { FaveError, messageOf, PermanentError, RetryableError, UsageError } from '../core/errors.ts';
import { parseJson } from '../core/validate.ts';
import { SIGNATURE_BYTES } from '../media/signature.ts';
import type { Graph } from '../pipeline/graph.ts';
import { metadataPaths, pathOf, requestPrefix } from '../pipeline/keys.ts';
import { digestFile, type Store } from '../store/store.ts';
import { createRequestOptionParser, type OptionGraph } from './request-options.ts';
import { screenHead, screenName } from './screen-upload.ts';

/** A local file to upload as the input of a request. */
export interface Submission {
  readonly id: string;
  /** Path as the user gave it. */
  readonly file: string;
  /** Absolute path. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Key of the input in the bucket. */
  readonly key: string;
}

/**
 * Checks the options of a request before its upload. Returns them as text, as the input's metadata carries them.
 * @param pairs `key=value` each.
 * @throws UsageError.
 */
export function parseOptions(pairs: readonly string[], query: string | undefined, graph: OptionGraph): Record<string, string> {
  const options: Record<string, string> = {};
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    if (equals < 1) throw new UsageError(`--option expects key=value, for example --option threshold=0.5, not "${pair}"`);
    options[pair.slice(0, equals)] = pair.slice(equals + 1);
  }
  if (query !== undefined) {
    if (!('query' in graph.options))
      throw new UsageError('--query: no stage of this pipeline has the option "query" (list options with fave graph --json)');
    options['query'] = query;
  }
  try {
    createRequestOptionParser(graph)(options);
  } catch (error) {
    if (error instanceof PermanentError) throw new UsageError(error.message);
    throw error;
  }
  return options;
}

/** Creates the submission of a file. @throws UsageError if the file does not exist or is not a regular file. */
export async function createSubmission(file: string, cwd: string, id: string): Promise<Submission> {
  const path = resolve(cwd, file);
  const found = await stat(path).catch((error: unknown) => {
    throw new UsageError(
      (error as NodeJS.ErrnoException).code === 'EACCES'
        ? `${file} cannot be read: check its permissions`
        : `${file} does not exist: check its name`,
    );
  });
  if (found.isDirectory())
    throw new UsageError(`${file} is a directory: name its video files, for example ${file.replace(/\/$/, '')}/*.mp4`);
  if (!found.isFile()) throw new UsageError(`${file} is not a regular file: save it to one first`);
  return { id, file, path, size: found.size, key: requestPrefix(id) + pathOf(kinds.input, { file: basename(path) }) };
}

/**
 * Returns the admitted input of the request if the submission may be the same one; submitting it again then changes nothing.
 * If it cannot be the same, returns the rejection that the relay would publish. Returns `undefined` for a new request.
 */
export async function findAdmittedInput(
  store: Store,
  { id, path, size, key }: Submission,
  options: Readonly<Record<string, string>>,
  graph: OptionGraph,
): Promise<Request['input'] | RequestState | undefined> {
  const found = await store.getText(requestPrefix(id) + metadataPaths.request);
  if (!found) return undefined;
  const { input, options: admitted } = parseJson('request', found.text);
  const isSameInput = input.file === basename(path) && input.size === size;
  if (isSameInput && toSortedText(admitted) === toSortedText(createRequestOptionParser(graph)(options))) return input;
  const message = `request ${id} already exists with another input or other options (${input.file}): use another id`;
  return toRejection(id, key, 'input-replaced', message);
}

/** Returns the rejection of a file that the relay would not admit, as far as its name and first bytes show. */
export async function screenSubmission({ id, path, size, key }: Submission, graph: Graph): Promise<RequestState | undefined> {
  const name = basename(path);
  const refusal = screenName(name, size) ?? screenHead(graph, { name, head: await readHead(path) });
  return refusal && toRejection(id, key, refusal.code, refusal.message);
}

function toRejection(id: string, key: string, code: ErrorCode, message: string): RequestState {
  return { request_id: id, run: 1, status: 'rejected', errors: [{ code, message, file: key }] };
}

async function readHead(path: string): Promise<Uint8Array> {
  const file = await open(path).catch(() => {
    throw new UsageError(`${path} cannot be read: check its permissions`);
  });
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(SIGNATURE_BYTES), 0, SIGNATURE_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function toSortedText(options: object): string {
  return JSON.stringify(Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Largest file that is uploaded in one request, in bytes. */
const MAX_SINGLE_UPLOAD_BYTES = 64 * 1024 ** 2;

interface UploadOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Receives the number of bytes uploaded so far; only for a file that is uploaded in parts. */
  readonly onProgress: (bytes: number) => void;
}

/** Uploads a file, in parts if it is large. A failure or an abort leaves no object. @throws RetryableError `upload-failed`. */
export async function uploadFile(store: Store, key: string, path: string, options: UploadOptions): Promise<{ etag: string }> {
  try {
    const { size } = await stat(path);
    if (size > MAX_SINGLE_UPLOAD_BYTES) return await store.uploadInParts(key, path, options);
    return await store.upload(key, { path, ...(await digestFile(path)) }, options);
  } catch (cause) {
    if (cause instanceof FaveError || options.signal.aborted) throw cause;
    throw new RetryableError('upload-failed', `${path} could not be uploaded (${messageOf(cause)}): try again`, { cause });
  }
}
