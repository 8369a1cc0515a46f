import type { Notification } from '../../schemas/generated/types.ts';
import { kinds } from '../../schemas/kinds.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import type { Refusal } from '../../shared/pipeline/stage.ts';
import { screenName } from '../../shared/requests/screen-upload.ts';
import {
  kindFolder,
  metadataPaths,
  parseKey,
  REQUEST_ID_RULE,
  requestPrefix,
  REQUESTS_PREFIX,
  splitKey,
  type ParsedKey,
} from '../../shared/pipeline/keys.ts';

/** An object of a notification, with its key decoded. */
export interface CreatedObject {
  readonly key: string;
  readonly etag: string;
  readonly size: number;
  readonly versionId?: string | undefined;
  readonly sequencer?: string | undefined;
  /** Absent if the store does not send metadata (AWS). The relay then reads it with a HEAD request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Treatment of an object by the relay. */
export type Classification =
  | { readonly type: 'landed'; readonly object: ParsedKey }
  /** An object that FAVE wrote itself, or that no stage consumes. */
  | { readonly type: 'ignored' }
  | { readonly type: 'refused'; readonly requestId: string | undefined; readonly refusal: Refusal };

/** Excludes tagging and retention, which are ObjectCreated events too: they would start the pipeline again. */
const CREATED = /^(s3:)?ObjectCreated:(Put|Post|Copy|CompleteMultipartUpload)$/;

/** Returns the objects of `bucket` that a notification reports as created. */
export function createdObjects(notification: Notification, bucket: string): CreatedObject[] {
  return notification.Records.filter(({ eventName, s3 }) => CREATED.test(eventName) && s3.bucket.name === bucket).map(
    ({ s3: { object } }) => ({
      key: decodeKey(object.key),
      etag: object.eTag ?? '',
      size: object.size ?? 0,
      versionId: object.versionId,
      sequencer: object.sequencer,
      headers: object.userMetadata,
    }),
  );
}

/** Classifies an object by its key and, for an object of a user, its size in bytes. */
export function classify({ key, size }: Pick<CreatedObject, 'key' | 'size'>, graph: Graph): Classification {
  const object = parseKey(key, graph.kinds);
  if (object && object.kind !== kinds.input) return object.kind.announced ? { type: 'landed', object } : { type: 'ignored' };
  if (!key.startsWith(REQUESTS_PREFIX) || key === REQUESTS_PREFIX) return { type: 'ignored' };
  const { requestId, path } = splitKey(key) ?? { requestId: undefined, path: key };
  if (requestId !== undefined && path.startsWith(metadataPaths.folder)) return { type: 'ignored' };
  const refusal = screenName(path, size);
  if (refusal) return requestId === undefined ? { type: 'ignored' } : { type: 'refused', requestId, refusal };
  if (object) return { type: 'landed', object };
  const message =
    requestId === undefined
      ? `the key must be ${requestPrefix('ID')}${kindFolder(kinds.input)}FILE, where ID is ${REQUEST_ID_RULE}`
      : `${path} is outside the input folder: upload one video under ${requestPrefix(requestId)}${kindFolder(kinds.input)}`;
  return { type: 'refused', requestId, refusal: { result: 'rejected', code: 'invalid-key', message } };
}

/** Decodes a key from the form of a query string: `+` is a space, `%2B` a plus. An invalid encoding is returned unchanged. */
function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    return key;
  }
}
