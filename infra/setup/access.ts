import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { createExec } from '../../shared/tools/exec.ts';
import { ToolError } from '../../shared/tools/tool-error.ts';
import { PermanentError } from '../../shared/core/errors.ts';
import type { StoreAdmin } from '../../shared/store/s3/admin.ts';
import { accessKeyOf, type Policy } from '../access/policies.ts';
import { waitForStoreServers } from './store-servers.ts';

export interface SetUpAccessOptions {
  /** The `mc` program. */
  readonly mc: string;
  /** URL of the store. */
  readonly endpoint: string;
  readonly rootUser: string;
  readonly rootPassword: string;
  /** Policies by role. */
  readonly policies: Readonly<Record<string, Policy>>;
  /** Secret keys by role. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Stores the digest of the last set-up in a tag of the bucket. */
  readonly storeAdmin: StoreAdmin;
}

/** Bucket tag of the digest. It is kept in the store, so an emptied store is set up again. */
const TAG = 'fave-access';

/** Nodes of a cluster that start together need some seconds to find each other. */
const SERVERS_TIMEOUT_MS = 120_000;

/** Concurrent calls of mc. Each needs 64 MB and processor time in mc and in the server for argon2. */
const MC_CONCURRENCY = 3;

type Mc = (...args: string[]) => Promise<string>;

/** Returns a digest of access keys with their policies and secrets. */
export function accessDigest({ policies, secrets }: Pick<SetUpAccessOptions, 'policies' | 'secrets'>): string {
  return createHash('sha256')
    .update(JSON.stringify([policies, secrets]))
    .digest('hex');
}

/**
 * Creates or updates an access key with a policy for each role. If the digest is unchanged, no request is sent: the check would
 * take a second per start.
 * @returns Descriptions of the changes.
 */
export async function setUpAccess(options: SetUpAccessOptions): Promise<string[]> {
  const digest = accessDigest(options);
  const { client, bucket } = options.storeAdmin;
  const tags = await client.getBucketTagging(bucket).catch(() => []);
  if (tags.some(({ Key, Value }) => Key === TAG && Value === digest)) return [];
  // mc gets its own configuration directory. Otherwise it would store the root password in the configuration of the user.
  const dir = await mkdtemp(join(tmpdir(), 'fave-mc-'));
  try {
    const mc = createMc(options, dir);
    const { protocol } = new URL(options.endpoint);
    await waitForStoreServers(() => mc('info', '--json', 'fave'), { protocol, timeoutMs: SERVERS_TIMEOUT_MS });
    const existing = accessKeys(await mc('accesskey', 'ls', 'fave', '--all', '--json'));
    const apply = async ([role, policy]: [string, Policy]): Promise<string> => {
      const key = accessKeyOf(role);
      const file = join(dir, `${key}.json`);
      await writeFile(file, JSON.stringify(policy));
      const exists = existing.has(key);
      await mc(
        'accesskey',
        exists ? 'edit' : 'create',
        'fave',
        ...(exists ? [key] : ['--access-key', key]),
        '--secret-key',
        options.secrets[role] ?? '',
        '--policy',
        file,
      );
      return `${exists ? 'updated' : 'made'} access key ${key}`;
    };
    const remaining = Object.entries(options.policies);
    const changes: string[] = [];
    const worker = async (): Promise<void> => {
      for (let next = remaining.shift(); next; next = remaining.shift()) changes.push(await apply(next));
    };
    await Promise.all(Array.from({ length: MC_CONCURRENCY }, worker));
    await client.setBucketTagging(bucket, { [TAG]: digest });
    return changes;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function createMc({ mc, endpoint, rootUser, rootPassword }: SetUpAccessOptions, dir: string): Mc {
  const url = new URL(endpoint);
  url.username = rootUser;
  url.password = rootPassword;
  const env = { MC_CONFIG_DIR: dir, MC_HOST_fave: url.href.replace(/\/$/, '') };
  const exec = createExec({ env: process.env });
  return async (...args) => {
    try {
      return (await exec(mc, ['admin', ...args], { cwd: dir, env, timeout: 30_000 })).stdout;
    } catch (error) {
      // The arguments contain secrets, which must not reach a log.
      const reason = error instanceof ToolError ? error.message.replaceAll(mc, 'mc') : String(error);
      throw new PermanentError(
        'access-not-set',
        `the store's access keys could not be set up: mc admin ${args.slice(0, 2).join(' ')}: ${reason}`,
      );
    }
  };
}

function accessKeys(json: string): Set<string> {
  const { svcaccs } = JSON.parse(json) as { svcaccs: { accessKey: string }[] | null };
  return new Set(svcaccs?.map(({ accessKey }) => accessKey));
}
