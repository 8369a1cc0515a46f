import { isDeepStrictEqual } from 'node:util';
import { NotificationConfig, QueueConfig, S3Error, type Client } from 'minio';
import { PermanentError } from '../../shared/core/errors.ts';
import {
  MEMO_PREFIX,
  metadataPaths,
  requestPrefix,
  REQUESTS_PREFIX,
  SCRATCH_PREFIX,
  STAGE_PREFIX,
} from '../../shared/pipeline/keys.ts';
import { targetArns } from '../servers/minio.ts';
import type { SetUpOptions } from './options.ts';
import { EVENTS, notificationRules, type Rule } from './notification-rules.ts';

type BucketConfig = Pick<SetUpOptions, 'storeAdmin' | 'graph' | 'retentionDays' | 'eventSource'>;

/** Creates the bucket and sets its versioning, lifecycle and notification rules. @returns Descriptions of the changes. */
export async function setUpBucket({
  storeAdmin,
  graph,
  retentionDays = 0,
  eventSource = 'notifications',
}: BucketConfig): Promise<string[]> {
  const { client, bucket } = storeAdmin;
  const changes: string[] = [];
  const ensure = async (what: string, change: () => Promise<boolean>): Promise<void> => {
    if (await change()) changes.push(`${what} of ${bucket}`);
  };
  if (!(await client.bucketExists(bucket))) {
    await client.makeBucket(bucket);
    changes.push(`made bucket ${bucket}`);
  }
  await ensure('set the versioning', () => setVersioning(client, bucket));
  await ensure('set the lifecycle', () => setLifecycle(client, bucket, retentionDays));
  if (eventSource === 'notifications')
    await ensure('set the notification rules', () => setNotifications(client, bucket, notificationRules(graph)));
  return changes;
}

/**
 * Keys without versions: all that FAVE writes itself, because the same item produces the same bytes. Inputs have versions.
 * `ExcludedPrefixes` is an extension of MinIO; each entry matches as `{prefix}*`, where `*` may match `/`, and ten are allowed.
 */
const UNVERSIONED = [requestPrefix('*') + STAGE_PREFIX, requestPrefix('*') + metadataPaths.folder, MEMO_PREFIX, SCRATCH_PREFIX];

async function setVersioning(client: Client, bucket: string): Promise<boolean> {
  const current = await client.getBucketVersioning(bucket);
  const excluded = [current.ExcludedPrefixes ?? []].flat().map(({ Prefix }) => Prefix);
  if (current.Status === 'Enabled' && isDeepStrictEqual(excluded, UNVERSIONED)) return false;
  try {
    await client.setBucketVersioning(bucket, { Status: 'Enabled', ExcludedPrefixes: UNVERSIONED.map((Prefix) => ({ Prefix })) });
  } catch (error) {
    // A store other than MinIO rejects the extension. All keys have versions there.
    if (!(error instanceof S3Error) || error.code !== 'MalformedXML') throw error;
    if (current.Status === 'Enabled') return false;
    await client.setBucketVersioning(bucket, { Status: 'Enabled' });
  }
  return true;
}

interface LifecycleRule {
  readonly ID: string;
  readonly Status: 'Enabled';
  readonly Filter: { readonly Prefix: string };
  readonly Expiration?: { readonly Days: number };
  readonly NoncurrentVersionExpiration?: { readonly NoncurrentDays: number };
}

/**
 * Returns the lifecycle rules. With retention, the objects of a request are deleted after that number of days; 0 keeps them.
 * Incomplete uploads need no rule: MinIO deletes them after a day.
 */
export function lifecycleRules(retentionDays: number): LifecycleRule[] {
  const rule = (ID: string, Prefix: string, rest: Partial<LifecycleRule>): LifecycleRule => ({
    ID,
    Status: 'Enabled',
    Filter: { Prefix },
    ...rest,
  });
  return [
    rule('tmp', SCRATCH_PREFIX, { Expiration: { Days: 7 } }),
    // A missing memo entry only means that the item is processed again. Its outputs may have been deleted long before.
    rule('memo', MEMO_PREFIX, { Expiration: { Days: 30 } }),
    rule('replaced', '', { NoncurrentVersionExpiration: { NoncurrentDays: 30 } }),
    ...(retentionDays === 0 ? [] : [rule('requests', REQUESTS_PREFIX, { Expiration: { Days: retentionDays } })]),
  ];
}

async function setLifecycle(client: Client, bucket: string, retentionDays: number): Promise<boolean> {
  const wanted = lifecycleRules(retentionDays);
  const current = await client.getBucketLifecycle(bucket).catch((error: unknown) => {
    if (error instanceof S3Error && error.code === 'NoSuchLifecycleConfiguration') return null;
    throw error;
  });
  const rules = [(current as { Rule?: Partial<LifecycleRule> | Partial<LifecycleRule>[] } | null)?.Rule ?? []].flat();
  if (isDeepStrictEqual(rules.map(essence).sort(), wanted.map(essence).sort())) return false;
  await client.setBucketLifecycle(bucket, { Rule: wanted });
  return true;
}

/** Returns a canonical form of a rule, independent of element order and empty elements in the response. */
function essence({ ID, Status, Filter, Expiration, NoncurrentVersionExpiration }: Partial<LifecycleRule>): string {
  return JSON.stringify([ID, Status, Filter?.Prefix, Expiration?.Days, NoncurrentVersionExpiration?.NoncurrentDays]);
}

async function setNotifications(client: Client, bucket: string, rules: readonly Rule[]): Promise<boolean> {
  const wanted = new NotificationConfig();
  for (const arn of targetArns) for (const rule of rules) wanted.add(queue(arn, rule));
  const current = await client.getBucketNotification(bucket);
  if (isDeepStrictEqual(summary(current), summary(wanted))) return false;
  await client.setBucketNotification(bucket, wanted).catch((cause: unknown) => {
    throw new PermanentError(
      'notifications-refused',
      `the store refused the notification rules: its targets ${targetArns.join(' and ')} are not configured, or one of them cannot be built (an unwritable queue directory disables both)`,
      { cause },
    );
  });
  return true;
}

function queue(arn: string, { prefix, suffix }: Rule): QueueConfig {
  const config = new QueueConfig(arn);
  for (const event of EVENTS) config.addEvent(event);
  config.addFilterPrefix(prefix);
  if (suffix !== undefined) config.addFilterSuffix(suffix);
  return config;
}

interface QueueRule {
  readonly Queue?: string;
  readonly Event?: readonly string[];
  readonly Filter?: unknown;
}

function summary(config: unknown): string[] {
  const { QueueConfiguration: rules = [] } = config as { QueueConfiguration?: readonly QueueRule[] };
  return rules.map(({ Queue, Event = [], Filter }) => JSON.stringify([Queue, [...Event].sort(), filterRules(Filter)])).sort();
}

/** Returns the prefix and suffix of a filter. minio-js writes them nested and reads them flat. */
function filterRules(filter: unknown): unknown {
  const nested = filter as { S3Key?: { FilterRule?: unknown } } | undefined;
  const rules = (nested?.S3Key?.FilterRule ?? filter ?? []) as { Name: string; Value: string }[];
  return rules.map(({ Name, Value }) => `${Name}=${Value}`).sort();
}
