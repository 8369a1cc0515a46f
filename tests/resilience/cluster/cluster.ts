import { dirname, join } from 'node:path';
import { vi } from 'vitest';
import { startMinio } from '../../../infra/servers/minio.ts';
import { startNats, type NatsOptions } from '../../../infra/servers/nats.ts';
import { busPermissions } from '../../../infra/access/permissions.ts';
import { freePorts } from '../../../infra/deployment/ports.ts';
import { kill } from '../../../infra/process/process.ts';
import { ensureServers } from '../../../infra/servers/install.ts';
import { setUp } from '../../../infra/setup/setup.ts';
import { exec } from '../../support/exec.ts';
import { connectBus, type Bus } from '../../../shared/bus/connection.ts';
import { readConfig } from '../../../shared/config/config.ts';
import type { Graph } from '../../../shared/pipeline/graph.ts';
import { createStoreAdmin } from '../../../shared/store/s3/admin.ts';
import { createStore } from '../../../shared/store/store.ts';
import { onTestFileEnd, type Stack } from '../../support/stack.ts';
import { createTempDir } from '../../support/temp-dir.ts';
import { WAIT } from '../../support/wait.ts';

/** One of several NATS servers. */
export interface Node {
  readonly name: string;
  readonly url: string;
  /** Kills the server and resolves after its exit. Unlike a power failure, kernel buffers survive. */
  kill(): Promise<void>;
  /** Restarts the server with its data and waits until it is healthy. */
  start(): Promise<void>;
}

export interface Cluster {
  readonly nodes: readonly Node[];
  /** Drives of MinIO. */
  readonly drives: readonly string[];
  /** Runs `mc`, with the store as alias `fave`. @returns Standard output. */
  mc(...args: string[]): Promise<string>;
  /** Runs shell commands, which can use `mc`. @returns Standard output. */
  shell(script: string): Promise<string>;
  /** Returns the stack with the connection of a role. */
  as(role: string): Promise<Stack>;
}

const ROOT = { rootUser: 'root', rootPassword: 'secret-of-the-store' };

/** Starts `servers` NATS servers and a MinIO on `drives` drives, with the real set-up. */
export async function openCluster(graph: Graph, size: { servers: number; drives: number }): Promise<Cluster> {
  const dir = createTempDir();
  const programs = await ensureServers(() => undefined);
  const [own, ...ports] = (await Promise.all(Array.from({ length: size.servers + 1 }, freePorts))) as [
    Awaited<ReturnType<typeof freePorts>>,
    ...Awaited<ReturnType<typeof freePorts>>[],
  ];
  const users = busPermissions(graph);
  const passwords = Object.fromEntries(Object.keys(users).map((user) => [user, `secret-of-${user}`]));
  const routes = ports.map(({ console: port }) => `127.0.0.1:${port}`);
  const nodes = await Promise.all(
    ports.map(({ nats: port, monitor, console: clusterPort }, n) => {
      const name = `nats-${n + 1}`;
      const cluster = size.servers > 1 ? { cluster: { name, port: clusterPort, routes, password: 'secret-of-the-routes' } } : {};
      return nodeOf(name, {
        program: programs.natsServer,
        port,
        monitor,
        dataDir: join(dir, name),
        users,
        passwords,
        ...cluster,
      });
    }),
  );
  const drives = Array.from({ length: size.drives }, (_, n) => join(dir, `drive-${n + 1}`));
  const [address = '', durableAddress] = ports.map(({ nats }) => `127.0.0.1:${nats}`);
  const minio = await startMinio({
    ...own,
    ...ROOT,
    program: programs.minio,
    port: own.minio,
    dataDir: dir,
    drives,
    notify: { address, durableAddress, user: 'minio', password: passwords['minio'] ?? '' },
    // MinIO rejects several drives on the root disk otherwise.
    settings: { MINIO_CI_CD: 'on' },
  });
  onTestFileEnd(() => minio.stop(10_000));

  const as = async (user: string): Promise<Stack> => {
    const environment = {
      ARTIFACT_ENDPOINT: `http://127.0.0.1:${own.minio}`,
      ARTIFACT_ACCESS_KEY: ROOT.rootUser,
      ARTIFACT_SECRET_KEY: ROOT.rootPassword,
      NATS_URL: nodes.map(({ url }) => url).join(','),
      NATS_USER: user,
      NATS_PASSWORD: passwords[user] ?? '',
      FAVE_STREAM_REPLICAS: String(size.servers),
    };
    const config = readConfig(environment);
    const [store, storeAdmin] = [createStore(config.store), createStoreAdmin(config.store)];
    const bus = await connectBus(config.bus, user);
    onTestFileEnd(async () => {
      store.close();
      storeAdmin.close();
      await bus.close();
    });
    const startServices = (): never => {
      throw new Error('services of a cluster run in the test: tests/support/harness/runtime.ts');
    };
    return { store, storeAdmin, bus, config, environment, dataDir: dir, servers: { minio: minio.pid }, startServices };
  };
  const admin = await as('admin');
  await waitForLeader(admin.bus);
  await setUp({ ...admin, graph, ackWaitSeconds: 1, streamReplicas: admin.config.streamReplicas });
  const env = {
    MC_CONFIG_DIR: join(dir, 'mc'),
    MC_HOST_fave: `http://${ROOT.rootUser}:${ROOT.rootPassword}@127.0.0.1:${own.minio}`,
    PATH: `${dirname(programs.mc)}:${process.env['PATH'] ?? ''}`,
  };
  const mc = async (...args: string[]): Promise<string> => (await exec(programs.mc, args, { cwd: dir, env })).stdout;
  const shell = async (script: string): Promise<string> => (await exec('sh', ['-ec', script], { cwd: dir, env })).stdout;
  return { nodes, drives, mc, shell, as };
}

async function nodeOf(name: string, options: NatsOptions): Promise<Node> {
  let current = startNats(options);
  onTestFileEnd(async () => (await current).stop(5_000));
  await current;
  return {
    name,
    url: `nats://127.0.0.1:${options.port}`,
    kill: async () => {
      const { pid, exited } = await current;
      kill(pid, 'SIGKILL');
      await exited;
    },
    start: async () => {
      current = startNats(options);
      await current;
    },
  };
}

/** Waits until the servers have elected a leader. */
async function waitForLeader({ manager }: Bus): Promise<void> {
  const leads = (): Promise<boolean> =>
    manager.getAccountInfo().then(
      () => true,
      () => false,
    );
  await vi.waitUntil(leads, WAIT);
}
