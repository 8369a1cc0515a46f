import { extname } from 'node:path';
import type { LandedMessage, Receipt } from '../../../schemas/generated/types.ts';
import type { Kind } from '../../../schemas/kinds.ts';
import { contentTypeOf, itemId, pathOf, requestPrefix } from '../../pipeline/keys.ts';
import { inheritMetadata } from '../../bus/landed-message.ts';
import { encodeMetadata, type ObjectMetadata } from '../../pipeline/metadata.ts';
import type { Attributes, Indices } from '../../pipeline/artifact.ts';
import type { Item, Outputs } from '../../pipeline/stage.ts';
import { digestFile, computeSha256, type Digest, type Store } from '../../store/store.ts';
import { validate, type SchemaName } from '../../core/validate.ts';

export type ReceiptOutput = Receipt['outputs'][number];

/** Puts a stage's outputs into the bucket and keeps the list of them for the receipt. */
export function createOutputs(
  item: Item,
  landed: LandedMessage,
  about: {
    produces: readonly Kind[];
    store: Store;
    signal: AbortSignal;
    receipt: string;
    /** Of the work that makes them. */
    traceparent: string | undefined;
  },
): Outputs & { readonly stored: ReceiptOutput[] } {
  const { produces, store, signal, receipt, traceparent } = about;
  const stored: ReceiptOutput[] = [];

  const put = async (
    kind: Kind,
    extension: string,
    digest: Digest,
    about: { indices?: Indices; attributes?: Attributes },
    send: (key: string, headers: Record<string, string>) => Promise<{ etag: string }>,
  ): Promise<Digest> => {
    if (!produces.includes(kind)) throw new Error(`this stage does not declare that it produces ${kind.name}`);
    const indices = indicesOf(kind, { ...item.indices, ...about.indices });
    const attributes = { ...item.attributes, ...about.attributes };
    const path = pathOf(kind, { indices, extension });
    const headers = outputHeaders(kind, path, {
      ...inheritMetadata(landed, traceparent),
      attributes,
      sha256: digest.sha256,
      receipt,
    });
    const { etag } = await send(requestPrefix(landed.request_id) + path, headers);
    stored.push({
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
    stored,
    async file(kind, path, about = {}) {
      const digest = await digestFile(path);
      return put(kind, extname(path).slice(1), digest, about, (key, headers) =>
        store.upload(key, { path, ...digest }, { headers, signal }),
      );
    },
    async json(kind, value, about = {}) {
      if (kind.schema !== undefined) validate(kind.schema as SchemaName, value);
      const text = `${JSON.stringify(value)}\n`;
      const digest = { sha256: computeSha256(text), size: Buffer.byteLength(text) };
      return put(kind, 'json', digest, about, (key, headers) => store.put(key, text, { headers, signal }));
    },
  };
}

/** What is stored with an output. */
export function outputHeaders(kind: Kind, path: string, metadata: ObjectMetadata): Record<string, string> {
  const type = contentTypeOf(kind, path);
  return { ...encodeMetadata(metadata), ...(type !== undefined && { 'content-type': type }) };
}

/** Those of the indices that the kind's key has a place for. */
function indicesOf(kind: Kind, indices: Indices): Indices {
  return Object.fromEntries(Object.entries(indices).filter(([name]) => kind.key.includes(`{${name}}`)));
}
