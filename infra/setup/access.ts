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
import { zipFile } from './zip.ts';

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

type Mc = (...args: string[]) => Promise<string>;

/** Returns a digest of access keys with their policies and secrets. */
export function accessDigest({ policies, secrets }: Pick<SetUpAccessOptions, 'policies' | 'secrets'>): string {
  return createHash('sha256')
    .update(JSON.stringify([policies, secrets]))
    .digest('hex');
}

/**
 * Creates or replaces the access key of every role. If the digest is unchanged, no key is written.
 *
 * One import takes 0.3 s. Calls of `mc admin accesskey` take 6 s, because each encrypts its request and its response with a key from
 * argon2. An existing key is removed and created again: its requests fail for some milliseconds, and their items are retried.
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
    const accounts = serviceAccounts(options);
    const file = join(dir, 'iam.zip');
    await writeFile(file, zipFile('iam-assets/svcaccts.json', JSON.stringify(accounts)));
    const { added } = JSON.parse(await mc('cluster', 'iam', 'import', 'fave', file, '--json')) as ImportResult;
    const missing = Object.keys(accounts).filter((key) => !added?.serviceAccounts?.includes(key));
    if (missing.length > 0) throw notSet(`the store did not import ${missing.join(', ')}`);
    await client.setBucketTagging(bucket, { [TAG]: digest });
    return Object.keys(accounts).map((key) => `set access key ${key}`);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Parts of the output of `mc admin cluster iam import --json`. */
interface ImportResult {
  readonly added?: { readonly serviceAccounts?: readonly string[] | null };
}

/** Returns the access keys of all roles in the format of `mc admin cluster iam export`. */
function serviceAccounts({ policies, secrets, rootUser }: SetUpAccessOptions): Record<string, object> {
  return Object.fromEntries(
    Object.entries(policies).map(([role, sessionPolicy]) => {
      const accessKey = accessKeyOf(role);
      return [accessKey, { parent: rootUser, accessKey, secretKey: secrets[role] ?? '', sessionPolicy }];
    }),
  );
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
      const reason = error instanceof ToolError ? error.message.replaceAll(mc, 'mc') : String(error);
      throw notSet(`mc admin ${args.slice(0, 2).join(' ')}: ${reason}`);
    }
  };
}

function notSet(reason: string): PermanentError {
  return new PermanentError('access-not-set', `the store's access keys could not be set up: ${reason}`);
}
