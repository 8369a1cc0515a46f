import { createHash } from 'node:crypto';
import { kinds, type Kind } from '../../schemas/kinds.ts';
import { canaryKey, kindPattern, memoKey, metadataPaths, requestPrefix } from '../../shared/pipeline/keys.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';

/** A policy document of an S3 store. */
export interface Policy {
  readonly Version: '2012-10-17';
  readonly Statement: readonly {
    readonly Effect: 'Allow' | 'Deny';
    readonly Action: readonly string[];
    /** Without it, the statement applies to everything. */
    readonly Resource?: readonly string[];
  }[];
}

/**
 * Derives the permissions of each role on the bucket from the graph. A stage reads the kinds that it declares and writes its
 * own prefix, receipts, logs and memo entries.
 */
export function storePolicies(graph: Graph, bucket: string): Record<string, Policy> {
  const logs = (name: string): string => below(metadataPaths.log(name, '*'));
  const canary = canaryKey();
  const stages = graph.stages.map(({ name, consumes, reads = [] }): [string, Policy] => {
    // Outputs that the memo copies from, and receipts that show which items are settled.
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

/** Returns a key pattern below the prefix of every request. */
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
      // Without the permission to list, the store responds to a missing object with 403 instead of 404.
      allow(['s3:ListBucket', 's3:GetBucketLocation'], [`arn:aws:s3:::${bucket}`]),
      allow(['s3:GetObject', 's3:GetObjectVersion'], read.map(arn)),
      allow(['s3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'], write.map(arn)),
      ...(remove.length > 0 ? [allow(['s3:DeleteObject'], remove.map(arn))] : []),
      // MinIO lets every user change the password and create further access keys of that user, which would survive a rotation.
      { Effect: 'Deny', Action: ['admin:*'] },
    ],
  };
}

/** Returns the access key of a role: its name, shortened if it exceeds MinIO's limit of 20 characters. */
export function accessKeyOf(role: string): string {
  return role.length <= 20 ? role : `${role.slice(0, 13)}-${createHash('sha256').update(role).digest('hex').slice(0, 6)}`;
}
