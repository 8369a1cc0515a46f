import type { Kind } from '../../schemas/kinds.ts';
import { requestPrefix, REQUESTS_PREFIX } from '../../shared/pipeline/keys.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';

/** A notification rule of the bucket. MinIO matches keys against `{prefix}*{suffix}`, where `*` may match `/`. */
export interface Rule {
  readonly prefix: string;
  readonly suffix?: string;
}

/**
 * File extensions of media. An object with one of them outside its place under `requests/` is a misplaced upload, which the
 * relay rejects.
 */
const MEDIA = [
  'mp4',
  'mov',
  'mkv',
  'webm',
  'avi',
  'm4v',
  'mpg',
  'mpeg',
  'ts',
  'flv',
  'wmv',
  '3gp',
  'wav',
  'mp3',
  'm4a',
  'aac',
  'flac',
  'ogg',
  'opus',
];

/**
 * Events of new objects. `s3:ObjectCreated:*` would include tagging, and tagging an output would start a loop in the pipeline.
 */
export const EVENTS = [
  's3:ObjectCreated:Put',
  's3:ObjectCreated:CompleteMultipartUpload',
  's3:ObjectCreated:Copy',
  's3:ObjectCreated:Post',
] as const;

/**
 * Returns rules that match every announced kind. Objects that FAVE writes beside them, such as receipts, frames and logs, are
 * not matched: they would be nine of ten notifications. Rules may overlap; a target gets one notification per event.
 */
export function notificationRules(graph: Pick<Graph, 'kinds'>): Rule[] {
  const announced = graph.kinds.filter((kind) => kind.announced).flatMap(kindRules);
  const media = MEDIA.flatMap((extension) => [extension, extension.toUpperCase()]).map((extension) => ({
    prefix: REQUESTS_PREFIX,
    suffix: `.${extension}`,
  }));
  const rules = [...announced, ...media];
  return [...new Map(rules.map((rule) => [JSON.stringify(rule), rule])).values()];
}

/**
 * Returns the rules of a kind. @throws Error for an announced kind with a variable file name, which would need a rule per
 * object.
 */
function kindRules(kind: Kind): Rule[] {
  const slash = kind.key.lastIndexOf('/');
  const name = kind.key.slice(slash + 1);
  // Uploads have arbitrary file names, so their directory is matched.
  if (name === '{file}') return [{ prefix: requestPrefix('*') + kind.key.slice(0, slash + 1) }];
  const names = name.includes('{ext}') ? (kind.extensions ?? []).map((extension) => name.replace('{ext}', extension)) : [name];
  const vague = names.find((each) => each.includes('{'));
  if (vague !== undefined) throw new Error(`${kind.name} cannot be announced: its file name ${vague} varies`);
  return names.map((each) => ({ prefix: REQUESTS_PREFIX, suffix: `/${each}` }));
}
