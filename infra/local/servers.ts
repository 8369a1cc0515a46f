import type { BusConfig, StoreConfig } from '../../shared/config/config.ts';
import { readConfig } from '../../shared/config/config.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import { startMinio } from '../servers/minio.ts';
import { startNats } from '../servers/nats.ts';
import { busPermissions } from '../access/permissions.ts';
import { accessKeyOf, storePolicies, type Policy } from '../access/policies.ts';
import type { Ports } from '../deployment/ports.ts';
import type { RunningProcess } from '../process/process.ts';
import { ensureSecrets } from '../access/secrets.ts';
import type { ServerPaths } from '../servers/install.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface FoundationOptions {
  readonly dataDir: string;
  readonly ports: Ports;
  readonly graph: Graph;
  readonly programs: ServerPaths;
  /** Names servers to use instead of own ones: `ARTIFACT_ENDPOINT`, `NATS_URL`, with their credentials. */
  readonly env: Environment;
}

/** The store and the bus that an instance stands on. */
export interface Servers {
  /** An administrator's access, for set-up. */
  readonly store: StoreConfig;
  readonly bus: BusConfig;
  /** Own access keys that are to be set up; undefined where the store is somebody else's. */
  readonly access:
    { readonly policies: Readonly<Record<string, Policy>>; readonly secrets: Readonly<Record<string, string>> } | undefined;
  /** Environment of a service with the rights of its role. */
  environmentOf(role: string): Record<string, string>;
  /** Own servers, the first started first. */
  readonly processes: readonly RunningProcess[];
}

/** User name of the store's administrator. */
export const ROOT_USER = 'fave-admin';

/**
 * The variable in which `fave env` says which of the addresses that it puts into a shell are of an instance's own servers, by
 * their URLs: an instance that is started in that shell is to have its own as well, not to look for those.
 */
export const OWN_SERVERS = 'FAVE_LOCAL_SERVERS';

/** Whether the environment names a store or a bus to use instead of own ones. */
export function findExternalServers(env: Environment): { store: boolean; bus: boolean } {
  const own = (env[OWN_SERVERS] ?? '').split(' ');
  const given = (url: string | undefined): boolean => Boolean(url) && !own.includes(url ?? '');
  return { store: given(env['ARTIFACT_ENDPOINT']), bus: given(env['NATS_URL']) };
}

/** Users of the bus and access keys of the store that an instance has, as `ensureSecrets` takes them. */
export function localRoles(graph: Graph, bucket: string): { bus: string[]; store: string[] } {
  return { bus: Object.keys(busPermissions(graph)), store: [ROOT_USER, ...Object.keys(storePolicies(graph, bucket))] };
}

/** Starts the servers, except those that the environment names, and waits until they answer. @throws PermanentError `cannot-start`, `not-ready`. */
export async function startFoundation({ dataDir, ports, graph, programs, env }: FoundationOptions): Promise<Servers> {
  const given = findExternalServers(env);
  const external = readConfig(env);
  const { bucket, region } = external.store;
  const users = busPermissions(graph);
  const policies = storePolicies(graph, bucket);
  const secrets = await ensureSecrets(dataDir, localRoles(graph, bucket));
  const busOf = (user: string): BusConfig =>
    given.bus
      ? external.bus
      : { servers: [`nats://127.0.0.1:${ports.nats}`], user, password: secrets.bus[user] ?? '', ca: undefined };
  const storeOf = (accessKey: string, secretKey = ''): StoreConfig =>
    given.store
      ? external.store
      : { endpoint: `http://127.0.0.1:${ports.minio}`, region, bucket, accessKey, secretKey, pathStyle: true, ca: undefined };

  const processes: RunningProcess[] = [];
  if (!given.bus) {
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
  if (!given.store) {
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
    access: given.store ? undefined : { policies, secrets: secrets.store },
    environmentOf: (role) => environmentOf(storeOf(accessKeyOf(role), secrets.store[role]), busOf(role)),
    processes,
  };
}

/** The variables that lead a process to a store and a bus. */
export function environmentOf(store: StoreConfig, bus: BusConfig): Record<string, string> {
  return {
    ARTIFACT_ENDPOINT: store.endpoint,
    ARTIFACT_REGION: store.region,
    ARTIFACT_BUCKET: store.bucket,
    ARTIFACT_ACCESS_KEY: store.accessKey,
    ARTIFACT_SECRET_KEY: store.secretKey,
    ...(!store.pathStyle && { ARTIFACT_PATH_STYLE: 'false' }),
    ...(store.ca !== undefined && { ARTIFACT_CA: store.ca }),
    NATS_URL: bus.servers.join(','),
    ...(bus.user !== '' && { NATS_USER: bus.user, NATS_PASSWORD: bus.password }),
    ...(bus.ca !== undefined && { NATS_CA: bus.ca }),
  };
}

/** Milliseconds that a server may take to stop. */
const SERVER_GRACE = 15_000;

/** Stops servers, the last started first: MinIO's last events must still find NATS. */
export async function stopInOrder(processes: readonly RunningProcess[]): Promise<void> {
  for (const server of [...processes].reverse()) await server.stop(SERVER_GRACE);
}
