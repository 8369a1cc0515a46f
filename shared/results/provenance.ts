import { kinds } from '../../schemas/kinds.ts';
import type { Receipt } from '../../schemas/generated/types.ts';
import { PermanentError, UsageError } from '../core/errors.ts';
import { kindFolder, requestPrefix, splitKey } from '../pipeline/keys.ts';
import { decodeMetadata } from '../pipeline/metadata.ts';
import type { Store } from '../store/store.ts';
import { parseJson } from '../core/validate.ts';

/** An object on the way from an artifact to the input: what it is, and what made it. */
export interface ProvenanceStep {
  /** In the bucket. */
  readonly key: string;
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
  readonly sha256?: string;
  /** Absent of the input. */
  readonly made_by?: Receipt;
  /** Where what is there now is not what the step after it was made of. */
  readonly replaced?: { readonly etag: string };
}

/** More steps than any pipeline has: receipts that refer to each other must not be followed for ever. */
const MOST_STEPS = 100;

/**
 * The key that a person means: `s3://bucket/key`, a key, or a request's id and a path in it.
 * @throws UsageError for what is none.
 */
export function keyOf(bucket: string, first: string, path?: string): string {
  const uri = /^s3:\/\/([^/]+)\/(.+)$/.exec(first);
  if (uri && uri[1] !== bucket) throw new UsageError(`${first} is in another bucket than ${bucket}`);
  const key = path === undefined ? (uri?.[2] ?? first) : requestPrefix(first) + path;
  if (splitKey(key)) return key;
  throw new UsageError(
    `"${key}" is not an artifact key: expected s3://${bucket}/${requestPrefix('ID')}…, ${requestPrefix('ID')}…, or ID and a path`,
  );
}

/**
 * Follows an object back to the input, by the receipts that the objects name.
 * @returns The object first, the input last.
 * @throws PermanentError `missing-object`, `no-provenance`.
 */
export async function provenanceOf(store: Store, key: string): Promise<ProvenanceStep[]> {
  const steps: ProvenanceStep[] = [];
  let next: { key: string; etag?: string; sha256?: string | undefined } | undefined = { key };
  while (next && steps.length < MOST_STEPS) {
    const step: ProvenanceStep = await stepOf(store, next);
    steps.push(step);
    const source: Receipt['source'] | undefined = step.made_by?.source;
    const prefix = requestPrefix(splitKey(key)?.requestId ?? '');
    next = source && { key: prefix + source.key, etag: source.etag, sha256: source.sha256 };
  }
  return steps;
}

/** @param expected What the step after it was made of. */
async function stepOf(
  store: Store,
  expected: { key: string; etag?: string; sha256?: string | undefined },
): Promise<ProvenanceStep> {
  const { key } = expected;
  const found = await store.head(key);
  if (!found) throw new PermanentError('missing-object', `there is no object ${key} in the bucket`);
  const { requestId, path } = splitKey(key) ?? { requestId: '', path: key };
  const metadata = decodeMetadata(found.headers);
  const replaced = expected.etag !== undefined && expected.etag !== found.etag;
  const sha256 = metadata?.sha256 ?? (replaced ? undefined : expected.sha256);
  const about = {
    key,
    etag: expected.etag ?? found.etag,
    size: found.size,
    ...(sha256 !== undefined && { sha256 }),
    ...(replaced && { replaced: { etag: found.etag } }),
  };
  if (path.startsWith(kindFolder(kinds.input))) return about;
  const receipt = metadata?.receipt === undefined ? undefined : await store.getText(requestPrefix(requestId) + metadata.receipt);
  if (!receipt)
    throw new PermanentError('no-provenance', `${key} names no receipt: no stage made it, or its item was not finished`);
  return { ...about, made_by: parseJson('receipt', receipt.text) };
}
