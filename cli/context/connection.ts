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

/** Milliseconds in which a server must take a connection. */
const CONNECT = 3_000;

/** Data directory of the instance that commands are about: FAVE_DATA_DIR, else `.fave` here or in the nearest directory above. */
export function dataDirOf({ env, cwd }: Pick<CliContext, 'env' | 'cwd'>): string | undefined {
  if (env['FAVE_DATA_DIR']) return resolve(cwd, env['FAVE_DATA_DIR']);
  for (let dir = resolve(cwd); ; dir = dirname(dir)) {
    if (existsSync(join(dir, '.fave'))) return join(dir, '.fave');
    if (dirname(dir) === dir) return undefined;
  }
}

/** The instance that runs there, if one does. */
export async function findInstance(cli: Pick<CliContext, 'env' | 'cwd'>): Promise<InstanceRecord | undefined> {
  const dataDir = dataDirOf(cli);
  return dataDir === undefined ? undefined : readInstance(dataDir);
}

/** Whether the environment says where everything is, so that no local instance is needed. */
export function hasServerAddresses(env: Environment): boolean {
  return Boolean(env['ARTIFACT_ENDPOINT'] && env['NATS_URL']);
}

/**
 * Joins what the environment says with what the local instance says; the environment wins. Credentials go only to the server
 * that they came with: a store named by the environment never gets the instance's password.
 */
export function mergeEnvironments(env: Environment, instance: Environment = {}): Environment {
  const foreign = (name: string): boolean =>
    name.startsWith('ARTIFACT_') ? Boolean(env['ARTIFACT_ENDPOINT']) : name.startsWith('NATS_') && Boolean(env['NATS_URL']);
  const local = Object.entries(instance).filter(([name]) => name !== 'PATH' && !foreign(name));
  const given = Object.entries(env).filter(([, value]) => value !== undefined && value !== '');
  return Object.fromEntries([...local, ...given]);
}

/** NATS addresses may hold a user, as the `nats` program takes them; its client library wants it apart. */
export function withoutUserInfo(bus: BusConfig): BusConfig {
  const urls = bus.servers.map((server) => (URL.canParse(server) ? new URL(server) : undefined));
  const first = urls.find((url) => url?.username);
  if (!first) return bus;
  const [user, password] = bus.user === '' ? [first.username, first.password].map(decodeURIComponent) : [bus.user, bus.password];
  const servers = urls.map((url, n) => (url ? `${url.protocol}//${url.host}` : (bus.servers[n] ?? '')));
  return { ...bus, servers, user: user ?? '', password: password ?? '' };
}

/** Where the store and the bus are. @throws PermanentError `no-instance`. */
export async function resolveConfig(cli: CliContext): Promise<Config> {
  const instance = await findInstance(cli);
  if (!instance && !hasServerAddresses(cli.env)) {
    const where = dataDirOf(cli);
    throw new PermanentError(
      'no-instance',
      `no instance is running${where === undefined ? ' here' : ` in ${where}`}: start one with npm start, or name servers with ARTIFACT_ENDPOINT and NATS_URL`,
    );
  }
  const config = readConfig(mergeEnvironments(cli.env, instance && (await instanceEnvironment(instance))));
  return { ...config, bus: withoutUserInfo(config.bus) };
}

/** Runs `work` with the store. @throws UnavailableError when it does not answer. */
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

/** Runs `work` with the administration client of the store. @throws UnavailableError if the store is unreachable. */
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

/** Runs `work` with the bus. @throws UnavailableError when it does not answer. */
export async function withBus<T>(cli: CliContext, work: (bus: Bus) => Promise<T>): Promise<T> {
  const { bus: config } = await resolveConfig(cli);
  // Of a cluster, one server that answers is enough.
  await Promise.any(config.servers.map((server) => assertReachable('NATS', server))).catch((error: unknown) => {
    throw (error as AggregateError).errors[0];
  });
  // Imported here, because most commands need no bus: `ls` starts in two thirds of the time.
  const { connectBus } = await import('../../shared/bus/connection.ts');
  const bus = await connectBus(config, 'fave', CONNECT);
  try {
    return await work(bus);
  } finally {
    await bus.close();
  }
}

/** Says at once what a client library would find out after half a minute of patience. */
export function assertReachable(what: string, address: string): Promise<void> {
  if (!URL.canParse(address))
    throw new PermanentError(
      'invalid-address',
      `"${address}" is no address of ${what}: it looks like http://127.0.0.1:9000 or nats://127.0.0.1:4222`,
    );
  const { protocol, hostname, port } = new URL(address);
  const number = Number(port) || ({ 'http:': 80, 'https:': 443 }[protocol] ?? 4222);
  return new Promise((resolvePromise, reject) => {
    const socket = connectTcp({ host: hostname, port: number, timeout: CONNECT });
    const fail = (cause?: Error): void => {
      socket.destroy();
      reject(
        new UnavailableError(
          'unreachable',
          `${what} at ${hostname}:${number} does not answer: is it running? (npm start, fave doctor)`,
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
