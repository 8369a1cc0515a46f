import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { busAccounts } from '../access/accounts.ts';
import type { SubjectPermissions } from '../access/permissions.ts';
import { startProcess, waitUntilReady, type RunningProcess } from '../process/process.ts';

export interface NatsOptions {
  /** The `nats-server` program. */
  readonly program: string;
  readonly port: number;
  readonly monitor: number;
  /** Directory of the store, the configuration and `logs/`. */
  readonly dataDir: string;
  readonly users: Readonly<Record<string, SubjectPermissions>>;
  /** Passwords by user. */
  readonly passwords: Readonly<Record<string, string>>;
  /** Name and routes of a cluster member. */
  readonly cluster?: Routes & { readonly name: string };
}

/** Connections between the servers of a cluster. */
export interface Routes {
  /** Port for the other servers. */
  readonly port: number;
  /** Addresses of all servers, `host:port`. */
  readonly routes: readonly string[];
  /** Password between the servers. Without one, any client that reaches the port could read and write every subject. */
  readonly password: string;
}

/** User of the routes between servers. Clients do not use it. */
export const ROUTES = 'routes';

/** Returns the cluster section of a server configuration. */
export function clusterConfig({ port, routes, password }: Routes): object {
  return {
    name: 'fave',
    port,
    authorization: { user: ROUTES, password },
    routes: routes.map((address) => `nats-route://${ROUTES}:${password}@${address}`),
  };
}

/** Returns the configuration of a server as JSON, which NATS reads as well as its own syntax. */
export function natsConfig({ port, monitor, dataDir, users, passwords, cluster }: NatsOptions): object {
  return {
    server_name: cluster?.name ?? 'fave',
    host: '127.0.0.1',
    port,
    http: `127.0.0.1:${monitor}`,
    ...(cluster && { cluster: { host: '127.0.0.1', ...clusterConfig(cluster) } }),
    jetstream: {
      store_dir: join(dataDir, 'nats'),
      // The default syncs every two minutes: a power failure would lose acknowledged messages. The delivery latency is the
      // same.
      sync_interval: 'always',
      // The default depends on the free disk space. If that is below the limits of the streams, they cannot be created.
      max_file_store: 16 * 1024 ** 3,
    },
    accounts: busAccounts(users, passwords),
  };
}

/** Starts nats-server and waits until JetStream is available. @throws PermanentError `cannot-start`, `not-ready`. */
export async function startNats(options: NatsOptions): Promise<RunningProcess> {
  const { program, dataDir, monitor } = options;
  const config = join(dataDir, 'nats.conf');
  await mkdir(dataDir, { recursive: true });
  await writeFile(config, JSON.stringify(natsConfig(options), null, 2), { mode: 0o600 });
  const log = join(dataDir, 'logs', 'nats-server.log');
  const server = await startProcess({
    name: 'nats-server',
    command: program,
    args: ['--config', config],
    // A soft limit: the garbage collector works harder above it.
    env: { GOMEMLIMIT: '128MiB' },
    cwd: dataDir,
    log,
  });
  return healthy(server, `http://127.0.0.1:${monitor}/healthz?js-enabled-only=true`);
}

/** Waits until the health endpoint of a server responds with 200, and stops the server if it does not. */
export async function healthy(server: RunningProcess, url: string): Promise<RunningProcess> {
  try {
    await waitUntilReady(server, 30_000, async () => ((await fetch(url)).ok ? true : undefined));
    return server;
  } catch (error) {
    await server.stop(0);
    throw error;
  }
}
