import { S3Error } from 'minio';
import { targetArns } from '../../infra/servers/minio.ts';
import { notificationRules, type Rule } from '../../infra/setup/notification-rules.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import type { StoreAdmin } from '../../shared/store/s3/admin.ts';
import { bad, check, ok, warn, type Check } from './check.ts';

const GROUP = 'store';

/** Checks the bucket and its notification rules. */
export async function checkStore({ client, bucket }: StoreAdmin, graph: Graph): Promise<Check[]> {
  const exists = await check(
    GROUP,
    'bucket',
    'check that the store is running and that ARTIFACT_ACCESS_KEY and ARTIFACT_SECRET_KEY are correct',
    async () =>
      (await client.bucketExists(bucket)) ? bucket : bad(GROUP, 'bucket', `${bucket} does not exist`, 'npm start creates it'),
  );
  if (exists.state !== 'ok') return [exists];
  return [
    exists,
    await check(GROUP, 'notification rules', 'npm start sets them', async () => {
      try {
        const missing = findMissingRules(await client.getBucketNotification(bucket), notificationRules(graph));
        const wanted = targetArns.length * notificationRules(graph).length;
        if (missing.length === 0) return ok(GROUP, 'notification rules', `${wanted}, on ${targetArns.length} targets`);
        return bad(
          GROUP,
          'notification rules',
          `${missing.length} of ${wanted} are missing, the first: ${missing[0] ?? ''}`,
          'uploads are not detected: npm start sets them',
        );
      } catch (error) {
        if (error instanceof S3Error && error.code === 'AccessDenied')
          return warn(
            GROUP,
            'notification rules',
            'the credentials do not permit reading them',
            'run fave doctor with credentials of an administrator',
          );
        throw error;
      }
    }),
  ];
}

interface QueueRule {
  readonly Queue?: string;
  readonly Filter?: unknown;
}

/** Returns the rules that a notification configuration lacks; each target needs each rule. */
export function findMissingRules(config: unknown, rules: readonly Rule[]): string[] {
  const { QueueConfiguration: configured = [] } = config as { QueueConfiguration?: readonly QueueRule[] };
  const found = new Set(configured.map(({ Queue = '', Filter }) => formatRule(Queue, parseFilter(Filter))));
  return targetArns.flatMap((arn) => rules.map((rule) => formatRule(arn, rule))).filter((wanted) => !found.has(wanted));
}

function formatRule(arn: string, { prefix, suffix = '' }: Rule): string {
  return `${prefix}*${suffix} → ${arn}`;
}

/** Returns the prefix and suffix of a filter; minio-js returns it flat, S3 nested. */
function parseFilter(filter: unknown): Rule {
  const nested = filter as { S3Key?: { FilterRule?: unknown } } | undefined;
  const parts = [nested?.S3Key?.FilterRule ?? filter ?? []].flat() as { Name?: string; Value?: string }[];
  const value = (name: string): string | undefined => parts.find(({ Name }) => Name === name)?.Value;
  return { prefix: value('prefix') ?? '', suffix: value('suffix') ?? '' };
}
