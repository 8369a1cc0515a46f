import { type BusConfig, type StoreConfig, readConfig } from '../../shared/config/config.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import type { AdminServers } from '../setup/admin.ts';
import { startMinio } from '../servers/minio.ts';
import { startNats } from '../servers/nats.ts';
import { findExternalServers, toEnvironment, type Environment } from '../access/environment.ts';
import { busPermissions } from '../access/permissions.ts';
import { accessKeyOf, storePolicies } from '../access/policies.ts';
import { localRoles } from '../access/roles.ts';
import type { Ports } from '../deployment/ports.ts';
import type { RunningProcess } from '../process/process.ts';
import { ensureSecrets, ROOT_USER } from '../access/secrets.ts';
import type { ServerPaths } from '../servers/install.ts';

export interface ServersOptions {
  readonly dataDir: string;
  readonly ports: Ports;
  readonly graph: Graph;
  readonly programs: ServerPaths;
  /** Names servers to use instead of own ones: `ARTIFACT_ENDPOINT`, `NATS_URL`, with their credentials. */
  readonly env: Environment;
}

/** The store and the bus of an instance, with the connection settings of an administrator. */
export interface Servers extends AdminServers {
  /** Returns the environment with which a service connects as its role. */
  environmentOf(role: string): Record<string, string>;
  /** Servers that the instance started, in the order of their start. */
  readonly processes: readonly RunningProcess[];
}

/**
 * Starts the servers that the environment does not name and waits until they are healthy. @throws PermanentError
 * `cannot-start`, `not-ready`.
 */
export async function startServers({ dataDir, ports, graph, programs, env }: ServersOptions): Promise<Servers> {
  const external = findExternalServers(env);
  const configured = readConfig(env);
  const { bucket, region } = configured.store;
  const users = busPermissions(graph);
  const policies = storePolicies(graph, bucket);
  const secrets = await ensureSecrets(dataDir, localRoles(graph, bucket));
  const busOf = (user: string): BusConfig =>
    external.bus
      ? configured.bus
      : { servers: [`nats://127.0.0.1:${ports.nats}`], user, password: secrets.bus[user] ?? '', ca: undefined };
  const storeOf = (accessKey: string, secretKey = ''): StoreConfig =>
    external.store
      ? configured.store
      : { endpoint: `http://127.0.0.1:${ports.minio}`, region, bucket, accessKey, secretKey, pathStyle: true, ca: undefined };

  const processes: RunningProcess[] = [];
  if (!external.bus) {
    processes.push(
      await startNats({
        program: programs.natsServer,
        port: ports.nats,
        monitor: ports.monitor,
        dataDir,
        users,
        passwords: secrets.bus,
      }),
    );
  }
  if (!external.store) {
    const { servers, user, password } = busOf('minio');
    const [address = '', durableAddress] = servers.map((server) => new URL(server).host);
    const notify = { address, durableAddress, user, password };
    const rootPassword = secrets.store[ROOT_USER] ?? '';
    const starting = startMinio({
      program: programs.minio,
      port: ports.minio,
      console: ports.console,
      dataDir,
      rootUser: ROOT_USER,
      rootPassword,
      notify,
      ...(env['MINIO_MEMLIMIT'] && { settings: { MINIO_MEMLIMIT: env['MINIO_MEMLIMIT'] } }),
    });
    processes.push(
      await starting.catch(async (error: unknown) => {
        await stopInOrder(processes);
        throw error;
      }),
    );
  }
  return {
    store: storeOf(ROOT_USER, secrets.store[ROOT_USER]),
    bus: busOf('admin'),
    access: external.store ? undefined : { policies, secrets: secrets.store },
    environmentOf: (role) => toEnvironment(storeOf(accessKeyOf(role), secrets.store[role]), busOf(role)),
    processes,
  };
}

/** Grace period of a server, in milliseconds. */
const SERVER_GRACE_MS = 15_000;

/** Stops servers in reverse order: MinIO's last notifications need NATS. */
export async function stopInOrder(processes: readonly RunningProcess[]): Promise<void> {
  for (const server of [...processes].reverse()) await server.stop(SERVER_GRACE_MS);
}
