import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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
  /** By user. */
  readonly passwords: Readonly<Record<string, string>>;
  /** Makes it a server of a cluster: its name there. */
  readonly cluster?: Routes & { readonly name: string };
}

/** How the servers of a cluster reach each other. */
export interface Routes {
  /** For the others. */
  readonly port: number;
  /** Of all of them, `host:port`. */
  readonly routes: readonly string[];
  /** By which a server knows the others. Without one, whoever reaches its port reads and writes every subject, as no user. */
  readonly password: string;
}

/** User of the servers' routes to each other: no client's. */
export const ROUTES = 'routes';

/** What the servers of a cluster are told of each other. */
export function clusterConfig({ port, routes, password }: Routes): object {
  return {
    name: 'fave',
    port,
    authorization: { user: ROUTES, password },
    routes: routes.map((address) => `nats-route://${ROUTES}:${password}@${address}`),
  };
}

/** Configuration of a server, as JSON, which NATS reads as well as its own syntax. */
export function natsConfig({ port, monitor, dataDir, users, passwords, cluster }: NatsOptions): object {
  return {
    server_name: cluster?.name ?? 'fave',
    host: '127.0.0.1',
    port,
    http: `127.0.0.1:${monitor}`,
    ...(cluster && { cluster: { host: '127.0.0.1', ...clusterConfig(cluster) } }),
    jetstream: {
      store_dir: join(dataDir, 'nats'),
      // The default fsyncs every two minutes: a power cut would lose acknowledged messages. No difference to an idle hop.
      sync_interval: 'always',
      // The default is a share of the free disk; where that is less than the streams' bounds, streams cannot be made.
      max_file_store: 16 * 1024 ** 3,
    },
    authorization: {
      users: Object.entries(users).map(([user, { publish, subscribe }]) => ({
        user,
        password: passwords[user],
        permissions: { publish: { allow: publish }, subscribe: { allow: subscribe } },
      })),
    },
  };
}

/** Starts nats-server and waits until JetStream answers. @throws PermanentError `cannot-start`, `not-ready`. */
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

/** Waits until a server's health address answers 200; stops it where that does not happen. */
export async function healthy(server: RunningProcess, url: string): Promise<RunningProcess> {
  try {
    await waitUntilReady(server, 30_000, async () => ((await fetch(url)).ok ? true : undefined));
    return server;
  } catch (error) {
    await server.stop(0);
    throw error;
  }
}
