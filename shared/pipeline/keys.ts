/** The only module that spells object keys. Everything else builds and parses them with these functions. */
import { kinds, type Kind } from '../../schemas/kinds.ts';
import { UsageError } from '../core/errors.ts';
import type { Indices } from './artifact.ts';

/** Valid request ids. An id is a segment of keys and a token of subjects; `_` is the token of events without a request. */
export const REQUEST_ID = /^(?!_$)[A-Za-z0-9_-]{1,64}$/;

/** {@link REQUEST_ID} as text for error messages. */
export const REQUEST_ID_RULE = '1 to 64 letters, digits, - or _, and not _ alone';

/** @throws UsageError for an invalid request id. */
export function assertRequestId(id: string): void {
  if (!REQUEST_ID.test(id)) throw new UsageError(`"${id}" is not a valid request id: use ${REQUEST_ID_RULE}`);
}

/** Request id of the tracker's canary. */
export const CANARY_REQUEST = 'canary';

/** Top-level prefixes of the bucket: objects of requests, memo entries, and scratch objects that the store expires. */
export const REQUESTS_PREFIX = 'requests/';
export const MEMO_PREFIX = 'memo/';
export const SCRATCH_PREFIX = 'tmp/';

/** Start of every stage name, and so of every artifact's path. */
export const STAGE_PREFIX = 'stage-';

/** A parsed key. `path` is the key below `requests/{request_id}/`. */
export interface ParsedKey {
  readonly requestId: string;
  readonly path: string;
  readonly kind: Kind;
  readonly indices: Indices;
}

/** Returns the prefix of all objects of a request; with `*`, the pattern of that prefix for all requests. */
export function requestPrefix(requestId: string): string {
  return `${REQUESTS_PREFIX}${requestId}/`;
}

/** Returns the key of the canary object of a request. */
export function canaryKey(requestId = CANARY_REQUEST): string {
  return requestPrefix(requestId) + kinds.canary.key;
}

/** Returns the first folder of the paths of a kind, with a trailing slash: `input/`, `stage-librosa/`. */
export function kindFolder(kind: Kind): string {
  return kind.key.slice(0, kind.key.indexOf('/') + 1);
}

/** Returns the path of a kind with `*` for every variable part. */
export function kindPattern(kind: Kind): string {
  return kind.key.replace(/\{\w+\}/g, '*');
}

/**
 * Returns the path of an object below the prefix of its request.
 * @param file Name of the uploaded file, for kinds with `{file}`.
 */
export function pathOf(
  kind: Kind,
  { indices = {}, extension, file }: { indices?: Indices; extension?: string; file?: string } = {},
): string {
  return kind.key.replace(/\{(\w+)\}/g, (_, name: string) => {
    if (name === 'ext') {
      const chosen = extension ?? kind.extensions?.[0];
      if (chosen === undefined || !kind.extensions?.includes(chosen))
        throw new Error(`a ${kind.name} cannot be a .${String(chosen)} file`);
      return chosen;
    }
    if (name === 'file') return file ?? missing(kind, name);
    const index = indices[name as keyof Indices] ?? missing(kind, name);
    if (!Number.isInteger(index) || index < 1 || index > 9_999)
      throw new Error(`a ${kind.name} cannot have the ${name} number ${index}`);
    return String(index).padStart(4, '0');
  });
}

function missing(kind: Kind, name: string): never {
  throw new Error(`the key of a ${kind.name} needs a ${name}`);
}

/** Compiled path patterns by kind. */
const patterns = new WeakMap<Kind, RegExp>();

function pattern(kind: Kind): RegExp {
  let compiled = patterns.get(kind);
  if (!compiled) {
    const source = kind.key.replace(/[.]/g, '\\.').replace(/\{(\w+)\}/g, (_, name: string) => {
      if (name === 'ext') return `(?<ext>${kind.extensions?.join('|') ?? ''})`;
      if (name === 'file') return '(?<file>[^/]+)';
      return `(?<${name}>\\d{4})`;
    });
    compiled = new RegExp(`^${source}$`, 'u');
    patterns.set(kind, compiled);
  }
  return compiled;
}

/** Splits a key into request id and path. Returns `undefined` for a key without a valid request id. */
export function splitKey(key: string): { requestId: string; path: string } | undefined {
  if (!key.startsWith(REQUESTS_PREFIX)) return undefined;
  const slash = key.indexOf('/', REQUESTS_PREFIX.length);
  const requestId = key.slice(REQUESTS_PREFIX.length, slash);
  return slash > 0 && REQUEST_ID.test(requestId) ? { requestId, path: key.slice(slash + 1) } : undefined;
}

/** Names of the numbers in a key. */
export const indexNames = ['batch', 'clip', 'frame'] as const satisfies readonly (keyof Indices)[];

/** Parses a key. Returns `undefined` if no kind matches. */
export function parseKey(key: string, kinds: Iterable<Kind>): ParsedKey | undefined {
  const split = splitKey(key);
  if (!split) return undefined;
  for (const kind of kinds) {
    const match = pattern(kind).exec(split.path);
    if (!match) continue;
    const indices = indexNames.flatMap((name) => {
      const digits = match.groups?.[name];
      return digits === undefined ? [] : [[name, Number(digits)]];
    });
    return { ...split, kind, indices: Object.fromEntries(indices) as Indices };
  }
  return undefined;
}

/** Returns the id of the item for an object: `clip_0001`, or the name of the kind if a request has only one object of it. */
export function itemId(kind: Kind, indices: Indices): string {
  const parts = Object.entries(indices).map(([name, index]) => `${name}_${String(index).padStart(4, '0')}`);
  return parts.join('-') || kind.name;
}

/** Returns the content type of an object, or `undefined` for a kind without one (uploads). */
export function contentTypeOf(kind: Kind, path: string): string | undefined {
  if (kind.contentType === undefined || typeof kind.contentType === 'string') return kind.contentType;
  return kind.contentType[path.slice(path.lastIndexOf('.') + 1)];
}

/** Paths of the platform's own objects, below the prefix of a request. */
export const metadataPaths = {
  folder: 'metadata/',
  request: 'metadata/request.json',
  state: 'metadata/state.json',
  cancelled: 'metadata/cancelled.json',
  receipts: (stage: string): string => `metadata/items/${stage}/`,
  receipt: (stage: string, item: string): string => `metadata/items/${stage}/${item}.json`,
  logs: 'metadata/logs/',
  log: (stage: string, timestamp: string): string => `metadata/logs/${stage}-${timestamp}.jsonl`,
};

/** Returns the key of a memo entry. @param hash Hash of the stage's inputs and configuration. */
export function memoKey(stage: string, hash: string): string {
  return `${MEMO_PREFIX}${stage}/${hash}.json`;
}
