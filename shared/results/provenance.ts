import { kinds } from '../../schemas/kinds.ts';
import type { Receipt } from '../../schemas/generated/types.ts';
import { PermanentError, UsageError } from '../core/errors.ts';
import { kindFolder, requestPrefix, splitKey } from '../pipeline/keys.ts';
import { decodeMetadata } from '../pipeline/metadata.ts';
import type { Store } from '../store/store.ts';
import { parseJson } from '../core/validate.ts';

/** One object on the path from an artifact to the input. */
export interface ProvenanceStep {
  /** Key in the bucket. */
  readonly key: string;
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
  readonly sha256?: string;
  /** Receipt of the item that produced the object; absent for the input. */
  readonly made_by?: Receipt;
  /** ETag of the current object, if it is not the version that the next step was made from. */
  readonly replaced?: { readonly etag: string };
}

/** More steps than any pipeline has, in case receipts refer to each other. */
const MAX_STEPS = 100;

/**
 * Returns the key of an artifact from `s3://bucket/key`, a key, or a request id and a path.
 * @throws UsageError for anything else.
 */
export function parseArtifactKey(bucket: string, first: string, path?: string): string {
  const uri = /^s3:\/\/([^/]+)\/(.+)$/.exec(first);
  if (uri && uri[1] !== bucket) throw new UsageError(`${first} is not in bucket ${bucket}`);
  const key = path === undefined ? (uri?.[2] ?? first) : requestPrefix(first) + path;
  if (splitKey(key)) return key;
  throw new UsageError(
    `"${key}" is not an artifact key: expected s3://${bucket}/${requestPrefix('ID')}…, ${requestPrefix('ID')}…, or ID and a path`,
  );
}

/**
 * Follows an object back to the input through the receipts in the objects' metadata.
 * @returns The object first, the input last.
 * @throws PermanentError `missing-object`, `no-provenance`.
 */
export async function readProvenance(store: Store, key: string): Promise<ProvenanceStep[]> {
  const steps: ProvenanceStep[] = [];
  let next: { key: string; etag?: string; sha256?: string | undefined } | undefined = { key };
  while (next && steps.length < MAX_STEPS) {
    const step: ProvenanceStep = await readStep(store, next);
    steps.push(step);
    const source: Receipt['source'] | undefined = step.made_by?.source;
    const prefix = requestPrefix(splitKey(key)?.requestId ?? '');
    next = source && { key: prefix + source.key, etag: source.etag, sha256: source.sha256 };
  }
  return steps;
}

/** @param expected The version that the next step was made from. */
async function readStep(
  store: Store,
  expected: { key: string; etag?: string; sha256?: string | undefined },
): Promise<ProvenanceStep> {
  const { key } = expected;
  const found = await store.head(key);
  if (!found) throw new PermanentError('missing-object', `object ${key} does not exist in the bucket`);
  const { requestId, path } = splitKey(key) ?? { requestId: '', path: key };
  const metadata = decodeMetadata(found.headers);
  const replaced = expected.etag !== undefined && expected.etag !== found.etag;
  const sha256 = metadata?.sha256 ?? (replaced ? undefined : expected.sha256);
  const step = {
    key,
    etag: expected.etag ?? found.etag,
    size: found.size,
    ...(sha256 !== undefined && { sha256 }),
    ...(replaced && { replaced: { etag: found.etag } }),
  };
  if (path.startsWith(kindFolder(kinds.input))) return step;
  const receipt = metadata?.receipt === undefined ? undefined : await store.getText(requestPrefix(requestId) + metadata.receipt);
  if (!receipt)
    throw new PermanentError('no-provenance', `${key} has no receipt: no stage produced it, or its item is not settled`);
  return { ...step, made_by: parseJson('receipt', receipt.text) };
}
