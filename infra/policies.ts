import { createHash } from 'node:crypto';
import { metadataPaths } from '../shared/keys.ts';
import type { Graph } from '../shared/graph.ts';

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
 * Least rights on the bucket for each role, derived from the graph: everybody reads requests (a stage needs its item and
 * siblings), and each service writes its own prefix, its receipts and its logs only.
 */
export function storePolicies(graph: Graph, bucket: string): Record<string, Policy> {
  const logs = (name: string): string => below(metadataPaths.log(name, '*'));
  const stages = graph.stages.map(({ name }): [string, Policy] => [
    name,
    policy(bucket, {
      write: [below(`${name}/*`), below(metadataPaths.receipt(name, '*')), logs(name), 'memo/*'],
      remove: [below(`${name}/*`)],
    }),
  ]);
  return {
    relay: policy(bucket, { write: [below(metadataPaths.request), logs('relay')] }),
    tracker: policy(bucket, { write: [below(metadataPaths.state), below(metadataPaths.receipt('*', '*')), logs('tracker')] }),
    submitter: policy(bucket, { write: [below('input/*')] }),
    ...Object.fromEntries(stages),
  };
}

/** A key pattern below every request's prefix. */
function below(path: string): string {
  return `requests/*/${path}`;
}

function policy(bucket: string, { write, remove = [] }: { write: readonly string[]; remove?: readonly string[] }): Policy {
  const arn = (pattern: string): string => `arn:aws:s3:::${bucket}/${pattern}`;
  const allow = (Action: readonly string[], Resource: readonly string[]) => ({ Effect: 'Allow', Action, Resource }) as const;
  return {
    Version: '2012-10-17',
    Statement: [
      // Without the right to list, an object that does not exist is answered with 403 instead of 404.
      allow(['s3:ListBucket', 's3:GetBucketLocation'], [`arn:aws:s3:::${bucket}`]),
      allow(['s3:GetObject', 's3:GetObjectVersion'], ['requests/*', 'memo/*'].map(arn)),
      allow(['s3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'], write.map(arn)),
      ...(remove.length > 0 ? [allow(['s3:DeleteObject'], remove.map(arn))] : []),
    ],
  };
}

/** A role's access key: its name, cut where it is longer than the 20 characters that MinIO allows. */
export function accessKeyOf(role: string): string {
  return role.length <= 20 ? role : `${role.slice(0, 13)}-${createHash('sha256').update(role).digest('hex').slice(0, 6)}`;
}
