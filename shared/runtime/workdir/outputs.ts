import { extname } from 'node:path';
import type { Kind } from '../../../schemas/kinds.ts';
import { PermanentError } from '../../core/errors.ts';
import { contentTypeOf, itemId, pathOf, requestPrefix } from '../../pipeline/keys.ts';
import { inheritMetadata } from '../../bus/landed-message.ts';
import { encodeMetadata, type ObjectMetadata } from '../../pipeline/metadata.ts';
import type { Attributes, Indices } from '../../pipeline/artifact.ts';
import type { Item, Outputs } from '../../pipeline/stage.ts';
import { digestFile, computeSha256, type Digest, type Store } from '../../store/store.ts';
import { parseJson, validate, type SchemaName } from '../../core/validate.ts';
import type { StageRun } from './stage-run.ts';

/** Metadata that all outputs of a run share. */
type CommonMetadata = Omit<ObjectMetadata, 'attributes' | 'sha256'>;

export function commonMetadata({ landed, span, record }: Pick<StageRun, 'landed' | 'span' | 'record'>): CommonMetadata {
  const input = record.identity?.inputSha256;
  return { ...inheritMetadata(landed, span.traceparent), ...(input !== undefined && { input }) };
}

/** Maximum number of announced outputs of an item. The event of the item lists them in one message of the bus. */
export const MAX_ANNOUNCED_OUTPUTS = 1_000;

/**
 * Returns the `outputs` of a stage's context. They store objects in the bucket and add them to the run's record.
 * @param context `maxBytes`: limit of the operator for all outputs of a request. One item must not exceed it either.
 */
export function createOutputs(
  item: Item,
  { stage, landed, abort, record }: StageRun,
  { store, metadata, maxBytes }: { readonly store: Store; readonly metadata: CommonMetadata; readonly maxBytes: number },
): Outputs {
  const { signal } = abort;
  let [bytes, announced] = [0, 0];

  const count = (kind: Kind, size: number): void => {
    bytes += size;
    announced += Number(kind.announced);
    if (bytes > maxBytes)
      throw new PermanentError(
        'too-much-output',
        `the outputs of ${landed.key} exceed ${maxBytes / 1e6} MB (FAVE_MAX_REQUEST_MB)`,
      );
    if (announced > MAX_ANNOUNCED_OUTPUTS)
      throw new PermanentError('too-many-outputs', `${landed.key} has more than ${MAX_ANNOUNCED_OUTPUTS} announced outputs`);
  };

  const put = async (
    kind: Kind,
    extension: string,
    digest: Digest,
    overrides: { indices?: Indices; attributes?: Attributes },
    send: (key: string, headers: Record<string, string>) => Promise<{ etag: string }>,
  ): Promise<Digest> => {
    if (!stage.produces.includes(kind)) throw new Error(`${stage.name} does not declare that it produces ${kind.name}`);
    count(kind, digest.size);
    const indices = indicesOf(kind, { ...item.indices, ...overrides.indices });
    const attributes = { ...item.attributes, ...overrides.attributes };
    const path = pathOf(kind, { indices, extension });
    const headers = outputHeaders(kind, path, { ...metadata, attributes, sha256: digest.sha256 });
    const { etag } = await send(requestPrefix(landed.request_id) + path, headers);
    record.outputs.push({
      kind: kind.name,
      item: itemId(kind, indices),
      key: path,
      etag,
      ...digest,
      announced: kind.announced,
      attributes,
    });
    return digest;
  };

  return {
    async file(kind, path, overrides = {}) {
      const digest = await digestFile(path);
      return put(kind, extname(path).slice(1), digest, overrides, (key, headers) =>
        store.upload(key, { path, ...digest }, { headers, signal }),
      );
    },
    async shared(kind, compute) {
      const key = requestPrefix(landed.request_id) + pathOf(kind, {});
      const read = async (): Promise<unknown> => {
        const stored = await store.getText(key, { signal });
        return stored && parseJson(kind.schema as SchemaName, stored.text);
      };
      const existing = await read();
      if (existing !== undefined) return existing;
      const value = await compute();
      if (value === undefined) return undefined;
      validate(kind.schema as SchemaName, value);
      const text = `${JSON.stringify(value)}\n`;
      const headers = outputHeaders(kind, pathOf(kind, {}), { ...metadata, attributes: {}, sha256: computeSha256(text) });
      return (await store.putIfAbsent(key, text, { headers, signal })) ? value : read();
    },
    async json(kind, value, overrides = {}) {
      if (kind.schema !== undefined) validate(kind.schema as SchemaName, value);
      const text = `${JSON.stringify(value)}\n`;
      const digest = { sha256: computeSha256(text), size: Buffer.byteLength(text) };
      return put(kind, 'json', digest, overrides, (key, headers) => store.put(key, text, { headers, signal }));
    },
  };
}

/** Returns the HTTP headers that store an output's metadata. */
export function outputHeaders(kind: Kind, path: string, metadata: ObjectMetadata): Record<string, string> {
  const type = contentTypeOf(kind, path);
  return { ...encodeMetadata(metadata), ...(type !== undefined && { 'content-type': type }) };
}

/** Returns the indices that occur in the kind's key. */
function indicesOf(kind: Kind, indices: Indices): Indices {
  return Object.fromEntries(Object.entries(indices).filter(([name]) => kind.key.includes(`{${name}}`)));
}
