import { S3Error } from 'minio';
import { targetArns } from '../../infra/servers/minio.ts';
import { notificationRules, type Rule } from '../../infra/setup/notification-rules.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import type { StoreAdmin } from '../../shared/store/s3/admin.ts';
import { bad, check, ok, warn, type Check } from './check.ts';

const GROUP = 'store';

/** The bucket and its notification rules. */
export async function checkStore({ client, bucket }: StoreAdmin, graph: Graph): Promise<Check[]> {
  const exists = await check(
    GROUP,
    'bucket',
    'is the store running, and are ARTIFACT_ACCESS_KEY and ARTIFACT_SECRET_KEY right?',
    async () =>
      (await client.bucketExists(bucket)) ? bucket : bad(GROUP, 'bucket', `${bucket} does not exist`, 'npm start makes it'),
  );
  if (exists.state !== 'ok') return [exists];
  return [
    exists,
    await check(GROUP, 'notification rules', 'npm start sets them', async () => {
      try {
        const missing = missingRules(await client.getBucketNotification(bucket), notificationRules(graph));
        const wanted = targetArns.length * notificationRules(graph).length;
        if (missing.length === 0) return ok(GROUP, 'notification rules', `${wanted}, on ${targetArns.length} targets`);
        return bad(
          GROUP,
          'notification rules',
          `${missing.length} of ${wanted} are missing, the first: ${missing[0] ?? ''}`,
          'uploads go unnoticed: npm start sets them',
        );
      } catch (error) {
        if (error instanceof S3Error && error.code === 'AccessDenied')
          return warn(GROUP, 'notification rules', 'these credentials may not read them', 'ask with an administrator’s');
        throw error;
      }
    }),
  ];
}

interface QueueRule {
  readonly Queue?: string;
  readonly Filter?: unknown;
}

/** What a bucket's notification configuration lacks: each target must get each rule. Pure. */
export function missingRules(config: unknown, rules: readonly Rule[]): string[] {
  const { QueueConfiguration: configured = [] } = config as { QueueConfiguration?: readonly QueueRule[] };
  const found = new Set(configured.map(({ Queue = '', Filter }) => ruleText(Queue, filterOf(Filter))));
  return targetArns.flatMap((arn) => rules.map((rule) => ruleText(arn, rule))).filter((wanted) => !found.has(wanted));
}

function ruleText(arn: string, { prefix, suffix = '' }: Rule): string {
  return `${prefix}*${suffix} → ${arn}`;
}

/** The filter's prefix and suffix; minio-js reads it flat, S3 writes it nested. */
function filterOf(filter: unknown): Rule {
  const nested = filter as { S3Key?: { FilterRule?: unknown } } | undefined;
  const parts = [nested?.S3Key?.FilterRule ?? filter ?? []].flat() as { Name?: string; Value?: string }[];
  const value = (name: string): string | undefined => parts.find(({ Name }) => Name === name)?.Value;
  return { prefix: value('prefix') ?? '', suffix: value('suffix') ?? '' };
}
