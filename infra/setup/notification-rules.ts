import type { Kind } from '../../schemas/kinds.ts';
import { requestPrefix, REQUESTS_PREFIX } from '../../shared/pipeline/keys.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';

/** One notification rule of the bucket; MinIO matches a key against `{prefix}*{suffix}`, where `*` may cross `/`. */
export interface Rule {
  readonly prefix: string;
  readonly suffix?: string;
}

/** What ends the names of media files: such an object anywhere else below `requests/` is a misplaced upload that the relay rejects aloud. */
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

/** Events of an object that has come to be; `s3:ObjectCreated:*` would include tagging, and tagging an output would loop the pipeline. */
export const EVENTS = [
  's3:ObjectCreated:Put',
  's3:ObjectCreated:CompleteMultipartUpload',
  's3:ObjectCreated:Copy',
  's3:ObjectCreated:Post',
] as const;

/**
 * The rules that announce every announced kind, and nothing that FAVE itself writes beside them: receipts, frames, logs and
 * state would be nine of ten events. Rules may overlap: a target that several match gets one event.
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

/** @throws Error for an announced kind whose file name says nothing: each object of it would need a rule of its own. */
function kindRules(kind: Kind): Rule[] {
  const slash = kind.key.lastIndexOf('/');
  const name = kind.key.slice(slash + 1);
  // A user's file may be called anything, so its directory tells it.
  if (name === '{file}') return [{ prefix: requestPrefix('*') + kind.key.slice(0, slash + 1) }];
  const names = name.includes('{ext}') ? (kind.extensions ?? []).map((extension) => name.replace('{ext}', extension)) : [name];
  const vague = names.find((each) => each.includes('{'));
  if (vague !== undefined) throw new Error(`${kind.name} cannot be announced: its file name ${vague} varies`);
  return names.map((each) => ({ prefix: REQUESTS_PREFIX, suffix: `/${each}` }));
}
