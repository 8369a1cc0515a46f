import { existsSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { instanceEnvironment, readInstance, type InstanceRecord } from '../../infra/instance/instance.ts';
import type { Bus } from '../../shared/bus/connection.ts';
import { readConfig, type BusConfig, type Config } from '../../shared/config/config.ts';
import { PermanentError, UnavailableError } from '../../shared/core/errors.ts';
import type { StoreAdmin } from '../../shared/store/s3/admin.ts';
import { createStore, type Store } from '../../shared/store/store.ts';
import type { CliContext } from './cli.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Timeout for a connection to a server, in milliseconds. */
const CONNECT_TIMEOUT_MS = 3_000;

/** Returns the data directory of the instance: FAVE_DATA_DIR, or the nearest `.fave` at or above the working directory. */
export function findDataDir({ env, cwd }: Pick<CliContext, 'env' | 'cwd'>): string | undefined {
  if (env['FAVE_DATA_DIR']) return resolve(cwd, env['FAVE_DATA_DIR']);
  for (let dir = resolve(cwd); ; dir = dirname(dir)) {
    if (existsSync(join(dir, '.fave'))) return join(dir, '.fave');
    if (dirname(dir) === dir) return undefined;
  }
}

/** Returns the record of the running instance, or `undefined`. */
export async function findInstance(cli: Pick<CliContext, 'env' | 'cwd'>): Promise<InstanceRecord | undefined> {
  const dataDir = findDataDir(cli);
  return dataDir === undefined ? undefined : readInstance(dataDir);
}

/** Formats the message that no instance is running, with the directory that was searched. */
export function describeNoInstance(cli: Pick<CliContext, 'env' | 'cwd'>): string {
  const dataDir = findDataDir(cli);
  return `no instance is running${dataDir === undefined ? ' here' : ` in ${dataDir}`}`;
}

/** Returns whether the environment names both servers, so that no local instance is needed. */
export function hasServerAddresses(env: Environment): boolean {
  return Boolean(env['ARTIFACT_ENDPOINT'] && env['NATS_URL']);
}

/**
 * Merges the environment with the variables of the local instance; the environment takes precedence. Credentials are used only
 * for the server they belong to: a store that the environment names never receives the password of the instance.
 */
export function mergeEnvironments(env: Environment, instance: Environment = {}): Environment {
  const foreign = (name: string): boolean =>
    name.startsWith('ARTIFACT_') ? Boolean(env['ARTIFACT_ENDPOINT']) : name.startsWith('NATS_') && Boolean(env['NATS_URL']);
  const local = Object.entries(instance).filter(([name]) => name !== 'PATH' && !foreign(name));
  const present = Object.entries(env).filter(([, value]) => value !== undefined && value !== '');
  return Object.fromEntries([...local, ...present]);
}

/** Moves the user and password of a NATS address, which the `nats` program accepts, to the fields that the client library needs. */
export function extractUserInfo(bus: BusConfig): BusConfig {
  const urls = bus.servers.map((server) => (URL.canParse(server) ? new URL(server) : undefined));
  const first = urls.find((url) => url?.username);
  if (!first) return bus;
  const [user, password] = bus.user === '' ? [first.username, first.password].map(decodeURIComponent) : [bus.user, bus.password];
  const servers = urls.map((url, n) => (url ? `${url.protocol}//${url.host}` : (bus.servers[n] ?? '')));
  return { ...bus, servers, user: user ?? '', password: password ?? '' };
}

/** Returns the configuration of the store and the bus. @throws PermanentError `no-instance`. */
export async function resolveConfig(cli: CliContext): Promise<Config> {
  const instance = await findInstance(cli);
  if (!instance && !hasServerAddresses(cli.env)) {
    throw new PermanentError(
      'no-instance',
      `${describeNoInstance(cli)}: start one with npm start, or set ARTIFACT_ENDPOINT and NATS_URL`,
    );
  }
  const config = readConfig(mergeEnvironments(cli.env, instance && (await instanceEnvironment(instance))));
  return { ...config, bus: extractUserInfo(config.bus) };
}

/** Runs `work` with the store. @throws UnavailableError `unreachable`. */
export async function withStore<T>(cli: CliContext, work: (store: Store) => Promise<T>): Promise<T> {
  const { store: config } = await resolveConfig(cli);
  await assertReachable('the store', config.endpoint);
  const store = createStore(config);
  try {
    return await work(store);
  } finally {
    store.close();
  }
}

/** Runs `work` with the administration client of the store. @throws UnavailableError `unreachable`. */
export async function withStoreAdmin<T>(cli: CliContext, work: (admin: StoreAdmin) => Promise<T>): Promise<T> {
  const { store: config } = await resolveConfig(cli);
  await assertReachable('the store', config.endpoint);
  const { createStoreAdmin } = await import('../../shared/store/s3/admin.ts'); // loads minio, which only this needs
  const admin = createStoreAdmin(config);
  try {
    return await work(admin);
  } finally {
    admin.close();
  }
}

/** Runs `work` with the bus. @throws UnavailableError `unreachable`. */
export async function withBus<T>(cli: CliContext, work: (bus: Bus) => Promise<T>): Promise<T> {
  const { bus: config } = await resolveConfig(cli);
  // One reachable server of a cluster is enough.
  await Promise.any(config.servers.map((server) => assertReachable('NATS', server))).catch((error: unknown) => {
    throw (error as AggregateError).errors[0];
  });
  // Imported here, because most commands need no bus: `ls` starts in two thirds of the time.
  const { connectBus } = await import('../../shared/bus/connection.ts');
  const bus = await connectBus(config, 'fave', CONNECT_TIMEOUT_MS);
  try {
    return await work(bus);
  } finally {
    await bus.close();
  }
}

/** Tests whether a server accepts connections. The client libraries would retry for half a minute first. */
export function assertReachable(server: string, address: string): Promise<void> {
  if (!URL.canParse(address))
    throw new PermanentError(
      'invalid-address',
      `"${address}" is not an address of ${server}: use the form http://127.0.0.1:9000 or nats://127.0.0.1:4222`,
    );
  const { protocol, hostname, port } = new URL(address);
  const number = Number(port) || ({ 'http:': 80, 'https:': 443 }[protocol] ?? 4222);
  return new Promise((resolvePromise, reject) => {
    const socket = connectTcp({ host: hostname, port: number, timeout: CONNECT_TIMEOUT_MS });
    const fail = (cause?: Error): void => {
      socket.destroy();
      reject(
        new UnavailableError(
          'unreachable',
          `${server} at ${hostname}:${number} does not answer: start it with npm start, or check it with fave doctor`,
          { cause },
        ),
      );
    };
    socket.once('connect', () => {
      socket.destroy();
      resolvePromise();
    });
    socket.once('error', fail).once('timeout', fail);
  });
}
