import { createHash } from 'node:crypto';
import { kinds, type Kind } from '../../schemas/kinds.ts';
import { canaryKey, kindPattern, memoKey, metadataPaths, requestPrefix } from '../../shared/pipeline/keys.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';

/** A policy document as S3 stores know it. */
export interface Policy {
  readonly Version: '2012-10-17';
  readonly Statement: readonly {
    readonly Effect: 'Allow';
    readonly Action: readonly string[];
    readonly Resource: readonly string[];
  }[];
}

/**
 * Least rights on the bucket for each role, derived from the graph: a stage reads what it consumes and says that it reads,
 * and writes its own prefix, its receipts, its logs and its notes on work done.
 */
export function storePolicies(graph: Graph, bucket: string): Record<string, Policy> {
  const logs = (name: string): string => below(metadataPaths.log(name, '*'));
  const canary = canaryKey();
  const stages = graph.stages.map(({ name, consumes, reads = [] }): [string, Policy] => {
    // Its own: copies of equal work are made from them, its receipts say what is settled.
    const own = [below(`${name}/*`), below(metadataPaths.receipt(name, '*')), memoKey(name, '*')];
    const others = [consumes, ...reads].map((kind: Kind) => below(kindPattern(kind)));
    return [
      name,
      policy(bucket, {
        read: [...own, ...others, below(metadataPaths.request), below(metadataPaths.cancelled)],
        write: [...own, logs(name)],
      }),
    ];
  });
  return {
    relay: policy(bucket, { read: [below('*')], write: [below(metadataPaths.request)] }),
    tracker: policy(bucket, {
      read: [below('*')],
      write: [below(metadataPaths.state), below(metadataPaths.cancelled), canary],
      remove: [canary],
    }),
    submitter: policy(bucket, { read: [below('*')], write: [below(kindPattern(kinds.input))] }),
    ...Object.fromEntries(stages),
  };
}

/** A key pattern below every request's prefix. */
function below(path: string): string {
  return requestPrefix('*') + path;
}

function policy(
  bucket: string,
  { read, write, remove = [] }: { read: readonly string[]; write: readonly string[]; remove?: readonly string[] },
): Policy {
  const arn = (pattern: string): string => `arn:aws:s3:::${bucket}/${pattern}`;
  const allow = (Action: readonly string[], Resource: readonly string[]) => ({ Effect: 'Allow', Action, Resource }) as const;
  return {
    Version: '2012-10-17',
    Statement: [
      // Without the right to list, an object that does not exist is answered with 403 instead of 404.
      allow(['s3:ListBucket', 's3:GetBucketLocation'], [`arn:aws:s3:::${bucket}`]),
      allow(['s3:GetObject', 's3:GetObjectVersion'], read.map(arn)),
      allow(['s3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'], write.map(arn)),
      ...(remove.length > 0 ? [allow(['s3:DeleteObject'], remove.map(arn))] : []),
    ],
  };
}

/** A role's access key: its name, cut where it is longer than the 20 characters that MinIO allows. */
export function accessKeyOf(role: string): string {
  return role.length <= 20 ? role : `${role.slice(0, 13)}-${createHash('sha256').update(role).digest('hex').slice(0, 6)}`;
}
