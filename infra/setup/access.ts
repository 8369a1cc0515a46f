import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { createExec } from '../../shared/tools/exec.ts';
import { ToolError } from '../../shared/tools/tool-error.ts';
import { codeOf, PermanentError } from '../../shared/core/errors.ts';
import type { StoreConfig } from '../../shared/config/config.ts';
import { createStore } from '../../shared/store/store.ts';
import type { StoreAdmin } from '../../shared/store/s3/admin.ts';
import { METRICS_PATH, METRICS_ROLE, metricsToken } from '../access/metrics.ts';
import { accessKeyOf, type Policy } from '../access/policies.ts';
import { waitForStoreServers } from './store-servers.ts';
import { zipFiles } from './zip.ts';

export interface SetUpAccessOptions {
  /** The `mc` program. */
  readonly mc: string;
  /** The store, with the access key of its administrator. */
  readonly store: StoreConfig;
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

/** Returns a digest of the policies and secrets of all roles. */
export function accessDigest({ policies, secrets }: Pick<SetUpAccessOptions, 'policies' | 'secrets'>): string {
  return createHash('sha256')
    .update(JSON.stringify([policies, secrets]))
    .digest('hex');
}

/**
 * Creates or updates one store user and one policy per role. Users cannot change each other; access keys of a common user could. If
 * the digest is unchanged and every role has access, nothing is written.
 *
 * One import takes 0.3 s. Each other call of `mc admin` takes half a second, because it encrypts its request and its response with a key
 * from argon2.
 * @returns Descriptions of the changes.
 */
export async function setUpAccess(options: SetUpAccessOptions): Promise<string[]> {
  const { store, secrets, policies, storeAdmin } = options;
  const { client, bucket } = storeAdmin;
  const digest = accessDigest(options);
  const stored = (await client.getBucketTagging(bucket).catch(() => [])).find(({ Key }) => Key === TAG)?.Value;
  const roles = Object.keys(policies);
  if (stored === digest && (await findRefusedRoles(store, roles, secrets)).length === 0) return [];
  // mc gets its own configuration directory. Otherwise it would store the root password in the configuration of the user.
  const dir = await mkdtemp(join(tmpdir(), 'fave-mc-'));
  try {
    const mc = createMc(options, dir);
    const { protocol } = new URL(store.endpoint);
    await waitForStoreServers(() => mc('info', '--json', 'fave'), { protocol, timeoutMs: SERVERS_TIMEOUT_MS });
    if (stored !== undefined) await removeAccessKeys(mc, roles.map(accessKeyOf));
    const file = join(dir, 'iam.zip');
    await writeFile(file, zipFiles(usersToImport(options)), { mode: 0o600 });
    const { added } = JSON.parse(await mc('cluster', 'iam', 'import', 'fave', file, '--json')) as ImportResult;
    const missing = roles.map(accessKeyOf).filter((user) => !added?.users?.includes(user));
    if (missing.length > 0) throw notSet(`the store did not import ${missing.join(', ')}`);
    await client.setBucketTagging(bucket, { [TAG]: digest });
    return roles.map((role) => `set store user ${accessKeyOf(role)}`);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Parts of the output of `mc admin cluster iam import --json`. */
interface ImportResult {
  readonly added?: { readonly users?: readonly string[] | null };
}

/** Returns the users, policies and their mappings in the files of `mc admin cluster iam export`. */
function usersToImport({ policies, secrets }: SetUpAccessOptions): Record<string, string> {
  const byUser = (value: (role: string, user: string) => object): string =>
    JSON.stringify(Object.fromEntries(Object.keys(policies).map((role) => [accessKeyOf(role), value(role, accessKeyOf(role))])));
  return {
    'iam-assets/policies.json': byUser((role) => policies[role] ?? {}),
    'iam-assets/users.json': byUser((role) => ({ secretKey: secrets[role] ?? '', status: 'enabled' })),
    'iam-assets/user_mappings.json': byUser((_, user) => ({ version: 1, policy: user })),
  };
}

/** Removes access keys that an earlier version created below the administrator. A user cannot have the name of such a key. */
async function removeAccessKeys(mc: Mc, names: readonly string[]): Promise<void> {
  const { svcaccs } = JSON.parse(await mc('accesskey', 'ls', 'fave', '--self', '--json')) as {
    readonly svcaccs?: readonly { readonly accessKey: string }[] | null;
  };
  for (const { accessKey } of svcaccs ?? []) if (names.includes(accessKey)) await mc('accesskey', 'rm', 'fave', accessKey);
}

/** Returns the roles whose access key, or whose permission to list the bucket or to read the metrics, the store refuses. */
export async function findRefusedRoles(
  store: StoreConfig,
  roles: readonly string[],
  secrets: Readonly<Record<string, string>>,
): Promise<string[]> {
  const refused = await Promise.all(
    roles.map(async (role) => {
      if (role === METRICS_ROLE) return (await servesMetrics(store, secrets[role] ?? '')) ? [] : [role];
      const client = createStore({ ...store, accessKey: accessKeyOf(role), secretKey: secrets[role] ?? '' });
      try {
        await client.listPrefixes('no-such-prefix/')[Symbol.asyncIterator]().next();
        return [];
      } catch (error) {
        if (codeOf(error) === 'access-denied') return [role];
        throw error;
      } finally {
        client.close();
      }
    }),
  );
  return refused.flat();
}

/** @throws Error if the store responds with another status than 200 and 403. */
async function servesMetrics({ endpoint }: StoreConfig, secretKey: string): Promise<boolean> {
  const headers = { authorization: `Bearer ${metricsToken(secretKey)}` };
  const { status, body } = await fetch(new URL(METRICS_PATH, endpoint), { headers });
  await body?.cancel();
  if (![200, 403].includes(status)) throw new Error(`the store responded to a request for its metrics with status ${status}`);
  return status === 200;
}

function createMc({ mc, store }: SetUpAccessOptions, dir: string): Mc {
  const url = new URL(store.endpoint);
  url.username = store.accessKey;
  url.password = store.secretKey;
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
  return new PermanentError('access-not-set', `the store's users could not be set up: ${reason}`);
}
