import type { Kind } from '../../schemas/kinds.ts';
import type { Indices } from './artifact.ts';

/** What a request id may be: it is a segment of keys and a token of subjects, and not the one of events that are of no request. */
export const REQUEST_ID = /^(?!_$)[A-Za-z0-9_-]{1,64}$/;

/** The same for people. */
export const REQUEST_ID_RULE = '1 to 64 letters, digits, - or _, and not _ alone';

/** The request of the object that proves, now and then, that notifications come. */
export const CANARY_REQUEST = 'canary';

const ROOT = 'requests/';

/** What an object's key says. `path` is the key below `requests/{request_id}/`. */
export interface ParsedKey {
  readonly requestId: string;
  readonly path: string;
  readonly kind: Kind;
  readonly indices: Indices;
}

/** The part of a key that is the same for every object of a request. */
export function requestPrefix(requestId: string): string {
  return `${ROOT}${requestId}/`;
}

/**
 * Path of an object below its request's prefix.
 * @param file Name of the user's file, for kinds with `{file}`.
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

/** Matches the paths of a kind; compiled once a kind. */
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

/** Splits a key into request id and path; undefined where it is not below a well-formed request id. */
export function splitKey(key: string): { requestId: string; path: string } | undefined {
  if (!key.startsWith(ROOT)) return undefined;
  const slash = key.indexOf('/', ROOT.length);
  const requestId = key.slice(ROOT.length, slash);
  return slash > 0 && REQUEST_ID.test(requestId) ? { requestId, path: key.slice(slash + 1) } : undefined;
}

/** Finds the kind of an object by its key; undefined where none matches. */
export function parseKey(key: string, kinds: Iterable<Kind>): ParsedKey | undefined {
  const split = splitKey(key);
  if (!split) return undefined;
  for (const kind of kinds) {
    const match = pattern(kind).exec(split.path);
    if (!match) continue;
    const { clip, frame } = match.groups ?? {};
    return {
      ...split,
      kind,
      indices: { ...(clip !== undefined && { clip: Number(clip) }), ...(frame !== undefined && { frame: Number(frame) }) },
    };
  }
  return undefined;
}

/** Identifies the work that an object gives to a stage: `clip_0001`, or the kind's name where a request has only one. */
export function itemId(kind: Kind, indices: Indices): string {
  const parts = Object.entries(indices).map(([name, index]) => `${name}_${String(index).padStart(4, '0')}`);
  return parts.join('-') || kind.name;
}

/** Media type of an object of a kind; undefined for what users upload. */
export function contentTypeOf(kind: Kind, path: string): string | undefined {
  if (kind.contentType === undefined || typeof kind.contentType === 'string') return kind.contentType;
  return kind.contentType[path.slice(path.lastIndexOf('.') + 1)];
}

/** Paths below a request's prefix of what the platform itself keeps there. */
export const metadataPaths = {
  request: 'metadata/request.json',
  state: 'metadata/state.json',
  cancelled: 'metadata/cancelled.json',
  receipt: (stage: string, item: string): string => `metadata/items/${stage}/${item}.json`,
  log: (stage: string, timestamp: string): string => `metadata/logs/${stage}-${timestamp}.jsonl`,
};

/** Key of the note on equal work done before: where its outputs are. */
export function memoKey(stage: string, hash: string): string {
  return `memo/${stage}/${hash}.json`;
}
