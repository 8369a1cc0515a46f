import { basename, join } from 'node:path';
import { mkdir } from 'node:fs/promises';
import type { LandedMessage, Request } from '../../../schemas/generated/types.ts';
import { kinds, type Kind } from '../../../schemas/kinds.ts';
import { NotFoundError } from '../../core/errors.ts';
import { itemId, parseKey, pathOf, requestPrefix } from '../../pipeline/keys.ts';
import { decodeMetadata } from '../../pipeline/metadata.ts';
import type { Attributes, Indices } from '../../pipeline/artifact.ts';
import type { Item, Source } from '../../pipeline/stage.ts';
import { digestFile, type Store } from '../../store/store.ts';
import { parseJson, type SchemaName } from '../../core/validate.ts';

interface Located {
  readonly kind: Kind;
  readonly key: string;
  readonly etag: string;
  readonly versionId?: string | undefined;
  readonly size: number;
  readonly indices: Indices;
  readonly attributes: Attributes;
  readonly sha256?: string | undefined;
}

/** Returns an object as the source that a stage reads. It is downloaded once at most, in the announced version. */
function sourceOf(object: Located, { store, dir, signal }: { store: Store; dir: string; signal: AbortSignal }): Source {
  const { kind, key, etag, versionId, size, indices, attributes } = object;
  const version = { etag, signal, ...(versionId !== undefined && { versionId }) };
  let downloaded: Promise<string> | undefined;
  const download = async (): Promise<string> => {
    // A separate directory: file names of users must not collide with those of the stage.
    const folder = join(dir, 'sources', kind.name, ...Object.values(indices).map(String));
    await mkdir(folder, { recursive: true });
    const path = join(folder, localName(key));
    await store.download(key, path, version);
    return path;
  };
  return {
    kind,
    name: basename(key),
    indices,
    attributes,
    size,
    file: () => (downloaded ??= download()),
    sha256: async () => object.sha256 ?? (await digestFile(await (downloaded ??= download()))).sha256,
    json: async () => {
      const found = await store.getText(key, version);
      if (!found) throw new NotFoundError('missing-artifact', `${key} was deleted`);
      if (kind.schema === undefined) throw new Error(`${kind.name} is not JSON`);
      return parseJson(kind.schema as SchemaName, found.text);
    },
  };
}

/** Returns a file name that is safe for every tool. File names of users may have 1 000 characters and contain any character. */
export function localName(key: string): string {
  const name = basename(key);
  const extension = /\.[A-Za-z0-9]{1,8}$/.exec(name)?.[0] ?? '';
  return /^[A-Za-z0-9_][A-Za-z0-9_. -]{0,80}$/.test(name) ? name : `file${extension}`;
}

/** Returns the landed object as the item of a stage. */
export function createItem(
  landed: LandedMessage,
  kind: Kind,
  context: { store: Store; dir: string; signal: AbortSignal; request: () => Promise<Request>; reads: readonly Kind[] },
): Item {
  const { store, signal, request, reads } = context;
  const indices = parseKey(landed.key, [kind])?.indices ?? {};
  const prefix = requestPrefix(landed.request_id);

  const findInput = async (): Promise<Source> => {
    const { input } = await request();
    return sourceOf(
      {
        kind: kinds.input,
        key: prefix + pathOf(kinds.input, { file: input.file }),
        etag: input.etag,
        versionId: input.version_id,
        size: input.size,
        indices: {},
        attributes: {},
        sha256: landed.input_sha256,
      },
      context,
    );
  };

  const landedObject = {
    kind,
    key: landed.key,
    etag: landed.etag,
    versionId: landed.version_id,
    size: landed.size,
    indices,
    attributes: landed.attributes,
    sha256: landed.sha256,
  };

  return {
    ...sourceOf(landedObject, context),
    id: itemId(kind, indices),
    async sibling(wanted, at = indices) {
      if (!reads.includes(wanted)) throw new Error(`this stage does not declare that it reads ${wanted.name}`);
      if (wanted === kinds.input) return findInput();
      for (const extension of wanted.extensions ?? ['']) {
        const found = await store.head(prefix + pathOf(wanted, { indices: at, extension }), { signal });
        if (!found) continue;
        const { attributes = {}, sha256 } = decodeMetadata(found.headers) ?? {};
        return sourceOf({ kind: wanted, ...found, indices: at, attributes, sha256 }, context);
      }
      throw new NotFoundError('missing-artifact', `the ${wanted.name} of ${landed.key} is missing`);
    },
  };
}
