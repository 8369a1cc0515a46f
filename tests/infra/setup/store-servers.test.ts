import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, it } from 'vitest';
import { storePolicies } from '../../../infra/access/policies.ts';
import { freePorts } from '../../../infra/deployment/ports.ts';
import { startProcess, type RunningProcess } from '../../../infra/process/process.ts';
import { ensureServers } from '../../../infra/servers/install.ts';
import { setUpAccess } from '../../../infra/setup/access.ts';
import { waitForStoreServers } from '../../../infra/setup/store-servers.ts';
import { readConfig } from '../../../shared/config/config.ts';
import { createStoreAdmin } from '../../../shared/store/s3/admin.ts';
import { exec } from '../../support/exec.ts';
import { tinyGraph } from '../../fixtures/tiny/graph.ts';
import { onTestFileEnd } from '../../support/stack.ts';
import { createTempDir } from '../../support/temp-dir.ts';

const [rootUser, rootPassword] = ['root', 'root-password'];

interface Node {
  readonly endpoint: string;
  readonly start: () => Promise<RunningProcess>;
  /** Runs `mc admin` on this node. Returns its standard output. */
  readonly admin: (...args: string[]) => Promise<string>;
}

let nodes: readonly Node[];
let mc: string;
const running = new Map<Node, RunningProcess>();

async function start(node: Node): Promise<void> {
  running.set(node, await node.start());
}

/** Four MinIO servers with one drive each, as in the scale-out overlay. */
beforeAll(async () => {
  const dir = createTempDir();
  onTestFileEnd(() => Promise.all([...running.values()].map((server) => server.stop(10_000))));
  const programs = await ensureServers(() => undefined);
  mc = programs.mc;
  const ports = await Promise.all(Array.from({ length: 4 }, freePorts));
  const drives = ports.map(({ minio }) => ({ address: `127.0.0.1:${minio}`, path: join(dir, `drive-${minio}`) }));
  nodes = drives.map(({ address, path }) => ({
    endpoint: `http://${address}`,
    start: async () => {
      await mkdir(path, { recursive: true });
      return startProcess({
        name: 'minio',
        command: programs.minio,
        args: ['server', '--address', address, ...drives.map((drive) => `http://${drive.address}${drive.path}`)],
        env: {
          HOME: dir,
          MINIO_ROOT_USER: rootUser,
          MINIO_ROOT_PASSWORD: rootPassword,
          MINIO_UPDATE: 'off',
          MINIO_BROWSER: 'off',
          // Without it MinIO refuses several drives on one disk, and loopback addresses in a container.
          MINIO_CI_CD: 'on',
          _MINIO_SERVER_LOCAL: address,
        },
        cwd: dir,
        log: join(dir, `${address}.log`),
      });
    },
    admin: async (...args) => {
      const env = { MC_CONFIG_DIR: join(dir, 'mc'), MC_HOST_node: `http://${rootUser}:${rootPassword}@${address}` };
      return (await exec(programs.mc, ['admin', ...args, 'node'], { cwd: dir, env })).stdout;
    },
  }));
  await Promise.all(nodes.map(start));
  await waitForStoreServers(() => nodes[0]!.admin('info', '--json'), { protocol: 'http:', timeoutMs: 60_000 });
});

it('setUpAccess writes no users until all servers of the store are online', { timeout: 240_000 }, async () => {
  const [first, , , last] = nodes as [Node, Node, Node, Node];
  await running.get(last)?.stop(10_000);
  const wait = (timeoutMs: number) => waitForStoreServers(() => first.admin('info', '--json'), { protocol: 'http:', timeoutMs });
  await expect(wait(2_000)).rejects.toMatchObject({
    code: 'store-servers-offline',
    message: expect.stringContaining(`server ${last.endpoint.replace('http://', '')}: offline`),
  });

  const store = { ...readConfig({}).store, endpoint: first.endpoint, accessKey: rootUser, secretKey: rootPassword };
  const storeAdmin = createStoreAdmin(store);
  onTestFileEnd(() => {
    storeAdmin.close();
  });
  await storeAdmin.client.makeBucket(storeAdmin.bucket);
  const graph = tinyGraph();
  const policies = storePolicies(graph, storeAdmin.bucket);
  const secrets = Object.fromEntries(Object.keys(policies).map((role) => [role, `secret-of-${role}`]));
  const setUp = setUpAccess({ mc, store, policies, secrets, storeAdmin });
  await sleep(5_000);
  expect(await userCount(first)).toBe(0);
  await start(last);
  expect(await setUp).toHaveLength(Object.keys(policies).length);
  for (const node of nodes) expect([node.endpoint, await userCount(node)]).toEqual([node.endpoint, Object.keys(policies).length]);
});

async function userCount({ admin }: Node): Promise<number> {
  const users = await admin('user', 'ls', '--json');
  return users.split('\n').filter(Boolean).length;
}
