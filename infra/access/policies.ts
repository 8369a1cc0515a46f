import { createHash } from 'node:crypto';
import { kinds, type Kind } from '../../schemas/kinds.ts';
import { canaryKey, kindPattern, memoKey, metadataPaths, requestPrefix } from '../../shared/pipeline/keys.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import { METRICS_ROLE } from './metrics.ts';

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
 * Permits the metrics and nothing else. The denied operations are those that MinIO permits every user for that user. `admin:*` would
 * deny the metrics as well.
 */
const metricsPolicy: Policy = {
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Action: ['admin:Prometheus'] },
    {
      Effect: 'Deny',
      Action: ['admin:CreateServiceAccount', 'admin:CreateUser', 'admin:GetUser', 'admin:ListServiceAccounts', 'admin:ListUsers'],
    },
  ],
};

/**
 * Derives the permissions of each role on the bucket from the graph. A stage reads the kinds that it declares and writes its
 * own prefix, receipts, logs and memo entries. `*` in a pattern also matches `/`, so a role may write keys such as
 * `requests/a/b/input/x`. None of them is a valid key of another role, and the relay rejects them.
 */
export function storePolicies(graph: Graph, bucket: string): Record<string, Policy> {
  const logs = (name: string): string => below(metadataPaths.log(name, '*'));
  const canary = canaryKey();
  const inputs = below(kindPattern(kinds.input));
  const announced = graph.kinds.filter((kind) => kind.announced && kind !== kinds.canary).map((kind) => below(kindPattern(kind)));
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
    relay: policy(bucket, {
      read: [...announced, below(metadataPaths.request), below(metadataPaths.state)],
      write: [below(metadataPaths.request)],
    }),
    tracker: policy(bucket, {
      // It reads states, and whether refused uploads still exist, whose keys are arbitrary.
      read: [below('*')],
      write: [below(metadataPaths.state), below(metadataPaths.cancelled), canary],
      remove: [canary],
    }),
    [METRICS_ROLE]: metricsPolicy,
    // Clients send large files in parts, and remove them if the upload fails.
    submitter: policy(bucket, { read: [below('*')], write: [inputs], abort: [inputs] }),
    ...Object.fromEntries(stages),
  };
}

/** Returns a key pattern below the prefix of every request. */
function below(path: string): string {
  return requestPrefix('*') + path;
}

function policy(
  bucket: string,
  { read, write, remove = [], abort = [] }: Record<'read' | 'write', readonly string[]> & { remove?: string[]; abort?: string[] },
): Policy {
  const arn = (pattern: string): string => `arn:aws:s3:::${bucket}/${pattern}`;
  const allow = (Action: readonly string[], Resource: readonly string[]) => ({ Effect: 'Allow', Action, Resource }) as const;
  return {
    Version: '2012-10-17',
    Statement: [
      // Without the permission to list, the store responds to a missing object with 403 instead of 404.
      allow(['s3:ListBucket'], [`arn:aws:s3:::${bucket}`]),
      allow(['s3:GetObject'], read.map(arn)),
      allow(['s3:PutObject'], write.map(arn)),
      ...(remove.length > 0 ? [allow(['s3:DeleteObject'], remove.map(arn))] : []),
      ...(abort.length > 0 ? [allow(['s3:AbortMultipartUpload'], abort.map(arn))] : []),
      // MinIO lets every user change the password and create further access keys of that user, which would survive a rotation.
      { Effect: 'Deny', Action: ['admin:*'] },
    ],
  };
}

/** Returns the access key of a role: its name, shortened if it exceeds MinIO's limit of 20 characters. */
export function accessKeyOf(role: string): string {
  return role.length <= 20 ? role : `${role.slice(0, 13)}-${createHash('sha256').update(role).digest('hex').slice(0, 6)}`;
}
