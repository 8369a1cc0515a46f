import type { Notification } from '../../schemas/generated/types.ts';
import { kinds } from '../../schemas/kinds.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
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

/** One object of a notification, decoded. */
export interface CreatedObject {
  readonly key: string;
  readonly etag: string;
  readonly size: number;
  readonly versionId?: string | undefined;
  readonly sequencer?: string | undefined;
  /** Absent where the store does not send it (AWS): then it has to be asked for. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** What the relay is to do about an object. */
export type Classification =
  | { readonly what: 'landed'; readonly object: ParsedKey }
  /** The platform's own, or nothing that anybody consumes. */
  | { readonly what: 'ignored' }
  | { readonly what: 'rejected'; readonly requestId: string | undefined; readonly reason: string };

/** Tagging and retention also "create": taking them for new objects would run the pipeline in circles. */
const CREATED = /^(s3:)?ObjectCreated:(Put|Post|Copy|CompleteMultipartUpload)$/;

/** The objects of `bucket` that a notification says were created. */
export function createdObjects(notification: Notification, bucket: string): CreatedObject[] {
  return notification.Records.filter(({ eventName, s3 }) => CREATED.test(eventName) && s3.bucket.name === bucket).map(
    ({ s3: { object } }) => ({
      key: formDecoded(object.key),
      etag: object.eTag ?? '',
      size: object.size ?? 0,
      versionId: object.versionId,
      sequencer: object.sequencer,
      headers: object.userMetadata,
    }),
  );
}

/** Finds out by its key alone what an object is. */
export function classify(key: string, graph: Graph): Classification {
  const object = parseKey(key, graph.kinds);
  if (object) return object.kind.announced ? { what: 'landed', object } : { what: 'ignored' };
  if (!key.startsWith(REQUESTS_PREFIX)) return { what: 'ignored' };
  const split = splitKey(key);
  if (split?.path.startsWith(metadataPaths.folder)) return { what: 'ignored' };
  const reason = split
    ? `${split.path} is outside the input folder: upload one video under ${requestPrefix(split.requestId)}${kindFolder(kinds.input)}`
    : `the key must be ${requestPrefix('ID')}${kindFolder(kinds.input)}FILE, where ID is ${REQUEST_ID_RULE}`;
  return { what: 'rejected', requestId: split?.requestId, reason };
}

/** Keys come as in a query string: `+` for a space, `%2B` for a plus. What is no valid encoding is taken as it stands. */
function formDecoded(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    return key;
  }
}
