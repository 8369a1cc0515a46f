import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { AssumeRoleProvider } from 'minio/dist/esm/AssumeRoleProvider.mjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { METRICS_PATH, METRICS_ROLE, metricsToken } from '../../../infra/access/metrics.ts';
import { accessKeyOf, storePolicies } from '../../../infra/access/policies.ts';
import { readSecrets, type Secrets } from '../../../infra/access/secrets.ts';
import { findRefusedRoles } from '../../../infra/setup/access.ts';
import { graph } from '../../../services/pipeline.ts';
import { canaryKey } from '../../../shared/pipeline/keys.ts';
import { mapConcurrently } from '../../../shared/core/map-concurrently.ts';
import { createOwnStack, onTestFileEnd, uniqueId, type Stack } from '../../support/stack.ts';
import { createStoreClient, encryptForAdmin, type Ask, type StoreRequest } from './store-client.ts';
import { expectedAccess } from './store-expected.ts';
import { bucketOperations, objectOperations, type ObjectOperation } from './store-operations.ts';

/** Roles with a store user. */
const roles = Object.keys(storePolicies(graph, 'bucket'));
/** An access key of the administrator. */
const [FOREIGN_KEY, FOREIGN_SECRET] = ['key-of-a-victim', 'secret-key-of-a-victim'];
const agent = new Agent({ keepAlive: true, maxSockets: 16 });
const requestId = uniqueId('matrix');

let stack: Stack;
let secrets: Secrets['store'];
let administrator: Ask;
beforeAll(async () => {
  stack = await createOwnStack();
  secrets = (await readSecrets(stack.dataDir))!.store;
  administrator = createStoreClient(stack.config.store, agent);
  onTestFileEnd(() => void agent.destroy());
  const body = encryptForAdmin(stack.config.store.secretKey, { accessKey: FOREIGN_KEY, secretKey: FOREIGN_SECRET });
  expect(await administrator({ method: 'PUT', path: '/minio/admin/v3/add-service-account', body })).toBe('200');
  // The store responds to some operations on a missing object before it checks the permissions.
  await mapConcurrently(Object.keys(expectedAccess(graph, requestId)), (key) => stack.store.put(key, 'x'));
});

/** Returns a client with the credentials of a role. @param connections Default: kept open. */
function clientOf(role: string, connections = agent): Ask {
  const credentials = { accessKey: accessKeyOf(role), secretKey: secrets[role] ?? '' };
  return createStoreClient({ ...stack.config.store, ...credentials }, connections);
}

/** One cell of the matrix: an operation of a role. */
interface Cell {
  readonly name: string;
  readonly request: StoreRequest;
  readonly allowed: boolean;
}

/** Returns the cells of a role for operations on every object. */
function objectCells(role: string, operations: readonly ObjectOperation[]): Cell[] {
  return Object.entries(expectedAccess(graph, requestId)).flatMap(([key, access]) =>
    operations.map(({ name, access: needed, request }): Cell => {
      const allowed = needed !== 'other' && Boolean(access[needed]?.includes(role));
      return { name: `${name} ${key}`, request: { ...request, path: `/${stack.config.store.bucket}/${key}` }, allowed };
    }),
  );
}

/** Sends the requests of all cells and returns those whose decision differs from the expected one. */
async function findDifferences(ask: Ask, cells: readonly Cell[]): Promise<string[]> {
  const results = await mapConcurrently(cells, async ({ name, request, allowed }) => {
    const result = await ask(request).catch(String);
    return allowed === (result === 'denied') || result.startsWith('Error') ? [`${name}: ${result}`] : [];
  });
  return results.flat();
}

describe.each(roles)('in the store %s', (role) => {
  it('has exactly the expected permissions on every object and the bucket', async () => {
    const { bucket } = stack.config.store;
    const objects = objectCells(role, objectOperations);
    const isRemoval = ({ request }: Cell): boolean => request.method === 'DELETE' && !request.query;
    const cells = [
      ...objects.filter((cell) => !isRemoval(cell)),
      ...bucketOperations.map(({ name, access, request }): Cell => {
        return { name, request: { ...request, path: `/${bucket}` }, allowed: access === 'list' && role !== METRICS_ROLE };
      }),
      { name: 'CreateBucket', request: { method: 'PUT', path: `/${bucket}-x` }, allowed: false },
      { name: 'ListObjects of another bucket', request: { method: 'GET', path: `/${bucket}-x` }, allowed: false },
    ];
    await stack.store.put(canaryKey(), 'x');
    expect(await findDifferences(clientOf(role), cells)).toEqual([]);
    expect(await findDifferences(clientOf(role), objects.filter(isRemoval))).toEqual([]);
  });
});

/** Requests to the administrative API (cmd/admin-router.go of MinIO). `{user}` is a user or an access key. */
const adminApi = readFileSync(join(import.meta.dirname, 'store-admin-api.txt'), 'utf8')
  .trim()
  .split('\n');

/**
 * Body for all administrative requests: fields that change the password, the policy or the access keys of the target.
 * Requests without these fields ignore them.
 */
function attackBody(target: string): object {
  const secret = 'a-secret-key-of-the-attacker';
  return {
    ...{ secretKey: secret, newSecretKey: secret, accessKey: 'key-of-the-attacker', targetUser: target, status: 'enabled' },
    ...{ policies: ['consoleAdmin'], user: target, newPolicy: null, group: 'x', members: [target] },
  };
}

/** Requests that MinIO refuses with another status than 403. */
const REFUSED = [
  // The access key does not exist, or belongs to another user.
  '404 XMinioInvalidIAMCredentials',
  // The operation needs several drives.
  '426 XMinioAdminVersionMismatch',
];

/** Requests that MinIO permits every user, and their effects. */
const PERMITTED: Readonly<Record<string, readonly string[]>> = {
  // States the user's own permissions and access keys.
  'GET accountinfo': ['200'],
  'GET list-service-accounts': ['200'],
  // Has no effect on a user, which is no access key.
  'DELETE delete-service-account?accessKey={user}': ['204'],
  // Ends temporary credentials of the user.
  'POST revoke-tokens/builtin?user={user}&fullRevoke=true': ['204'],
  // Discards the body: measurements of the network.
  'POST site-replication/devnull': ['204'],
  'POST site-replication/netperf': ['500 InternalError'],
};

describe.each(roles)('in the administration of the store %s', (role) => {
  it('can change and read nothing', async () => {
    const victims = [accessKeyOf(role), accessKeyOf(roles.find((other) => other !== role) ?? ''), FOREIGN_KEY];
    const requests = victims.flatMap((victim) =>
      adminApi
        .filter((line) => victim === victims[0] || line.includes('{user}') || line.startsWith('P'))
        .map((line): { line: string; request: StoreRequest } => {
          const [method = '', rest = ''] = line.split(' ');
          const url = new URL(
            rest.replaceAll('{user}', victim).replaceAll('{bucket}', stack.config.store.bucket),
            'http://x/minio/admin/v3/',
          );
          const query = Object.fromEntries(url.searchParams);
          const body = method === 'GET' ? '' : encryptForAdmin(secrets[role] ?? '', attackBody(victim));
          return { line, request: { method, path: url.pathname, query, body } };
        }),
    );
    // Some operations close the connection.
    const ask = clientOf(role, new Agent());
    const results = await mapConcurrently(requests, async ({ line, request }) => {
      const result = await ask(request).catch(String);
      return result === 'denied' || [...REFUSED, ...(PERMITTED[line] ?? [])].includes(result) ? [] : [`${line}: ${result}`];
    });
    expect(results.flat()).toEqual([]);
  });
});

/** Paths of the metrics of MinIO. */
const metricsPaths = [
  METRICS_PATH,
  ...['node', 'bucket', 'resource'].map((part) => `/minio/v2/metrics/${part}`),
  '/minio/prometheus/metrics',
  '/minio/metrics/v3/api/requests',
];

describe.each(metricsPaths)('%s', (path) => {
  const statusWith = async (headers: Record<string, string>): Promise<number> => {
    const response = await fetch(new URL(path, stack.config.store.endpoint), { headers });
    await response.body?.cancel();
    return response.status;
  };

  it('requires a token of the role for metrics', async () => {
    expect(await statusWith({})).toBe(403);
    expect(await statusWith({ authorization: `Bearer ${metricsToken('another-secret-key')}` })).toBe(403);
    for (const role of roles) {
      const authorization = `Bearer ${metricsToken(secrets[role] ?? '', accessKeyOf(role))}`;
      expect([role, await statusWith({ authorization })]).toEqual([role, role === METRICS_ROLE ? 200 : 403]);
    }
  });
});

describe.each(roles)('with temporary credentials, which MinIO issues to every user, %s', (role) => {
  it('has no further permission and receives no further credentials', async () => {
    const assume = (from: { accessKey: string; secretKey: string; sessionToken?: string }) =>
      new AssumeRoleProvider({ stsEndpoint: stack.config.store.endpoint, durationSeconds: 900, ...from }).getCredentials();
    const temporary = await assume({ accessKey: accessKeyOf(role), secretKey: secrets[role] ?? '' });
    const token = { 'x-amz-security-token': temporary.getSessionToken() ?? '' };
    const credentials = { accessKey: temporary.getAccessKey(), secretKey: temporary.getSecretKey() };
    const send = createStoreClient({ ...stack.config.store, ...credentials }, agent);
    const ask: Ask = (request) => send({ ...request, headers: { ...request.headers, ...token } });
    const cells = objectCells(
      role,
      objectOperations.filter(({ name }) => ['GetObject', 'PutObject', 'DeleteObject'].includes(name)),
    );
    expect(await findDifferences(ask, cells)).toEqual([]);
    for (const line of ['PUT add-service-account', 'GET list-users']) {
      const [method = '', path = ''] = line.split(' ');
      const url = new URL(path, 'http://x/minio/admin/v3/');
      const body = method === 'GET' ? '' : encryptForAdmin(credentials.secretKey, attackBody(accessKeyOf(role)));
      expect([line, await ask({ method, path: url.pathname, query: Object.fromEntries(url.searchParams), body })]).toEqual([
        line,
        'denied',
      ]);
    }
    await expect(assume({ ...credentials, sessionToken: temporary.getSessionToken() })).rejects.toThrow();
  });
});

it('leaves every user and access key intact', async () => {
  expect(await findRefusedRoles(stack.config.store, roles, secrets)).toEqual([]);
  const ask = createStoreClient({ ...stack.config.store, accessKey: FOREIGN_KEY, secretKey: FOREIGN_SECRET }, agent);
  expect(await ask({ method: 'HEAD', path: `/${stack.config.store.bucket}` })).toBe('200');
});
