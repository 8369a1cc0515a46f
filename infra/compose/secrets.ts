import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readConfig } from '../../shared/config/config.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import { METRICS_ROLE, metricsToken } from '../access/metrics.ts';
import { localRoles } from '../access/roles.ts';
import { notifyEnvironment } from '../servers/minio.ts';
import { natsConfig } from '../servers/nats.ts';
import { busPermissions } from '../access/permissions.ts';
import { defaultPorts } from '../deployment/ports.ts';
import { ensureSecrets, deleteSecrets, type Secrets, ROOT_USER } from '../access/secrets.ts';
import { serviceNames } from '../deployment/services.ts';
import { BUS_ADDRESS, DATA, QUEUE } from './names.ts';

/** Name of the set-up job, which is an administrator of both servers. */
const SET_UP = 'set-up';

/** User and group of the Prometheus image, which owns the data volume (compose.yaml). */
const PROMETHEUS_USER = 65_534;

export interface MakeSecrets {
  readonly graph: Graph;
  /** Absolute. */
  readonly dir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Generates new passwords for all servers and services. Running containers keep the old ones until they restart. */
  readonly rotate?: boolean;
}

/**
 * Generates random passwords for a system of containers: a directory for each container, mounted as `/run/secrets`, and `env`
 * for the shell of the operator. Existing passwords are kept, so it can run at every start. The files are readable only by the
 * user of the containers (FAVE_UID, FAVE_GID), those of Prometheus only by the user of its image.
 * @returns Instructions for the next step.
 */
export async function makeSecrets({ graph, dir, env, rotate = false }: MakeSecrets): Promise<string> {
  const { bucket } = readConfig({}).store;
  const all = join(dir, SET_UP);
  if (rotate) await deleteSecrets(all);
  const secrets = await ensureSecrets(all, localRoles(graph, bucket));
  for (const [path, text] of Object.entries(files(graph, secrets))) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), text, { mode: 0o600 });
  }
  // Grafana stores its password in its own database at the first start.
  await mkdir(join(dir, 'grafana'), { recursive: true });
  const grafana = { mode: 0o600, flag: 'wx' };
  await writeFile(join(dir, 'grafana/grafana'), randomBytes(18).toString('hex'), grafana).catch(() => undefined);
  await closeFolders(dir);
  if (process.getuid?.() === 0) {
    await handOver(dir, Number(env['FAVE_UID'] ?? 1000), Number(env['FAVE_GID'] ?? 1000));
    await handOver(join(dir, 'prometheus'), PROMETHEUS_USER, PROMETHEUS_USER);
  }
  return `the secrets are in ${dir}; for a shell on this machine: . ${join(dir, 'env')}`;
}

/** Returns the secret files by path. The first directory is the name of the service. */
function files(graph: Graph, { bus, store }: Secrets): Record<string, string> {
  const access = (service: string, role = service, user = service): Record<string, string> => ({
    [`${service}/store`]: store[role] ?? '',
    [`${service}/bus`]: bus[user] ?? '',
  });
  const ofServices = serviceNames(graph).flatMap((name) => Object.entries(access(name)));
  return {
    '.gitignore': '*\n',
    env: shellEnvironment(store[ROOT_USER] ?? '', bus['admin'] ?? ''),
    'minio/minio.env': variables(minioSecrets(store[ROOT_USER] ?? '', bus['minio'] ?? '')),
    'prometheus/minio-token': metricsToken(store[METRICS_ROLE] ?? ''),
    'nats/nats.conf': JSON.stringify(busConfig(graph, bus), null, 2),
    ...access(SET_UP, ROOT_USER, 'admin'),
    ...Object.fromEntries(ofServices),
  };
}

/** Returns the variables that MinIO reads from a file (MINIO_CONFIG_ENV_FILE) because compose.yaml must not contain them. */
function minioSecrets(rootPassword: string, password: string): Record<string, string> {
  const notify = notifyEnvironment({ address: BUS_ADDRESS, user: 'minio', password }, QUEUE);
  return {
    MINIO_ROOT_USER: ROOT_USER,
    MINIO_ROOT_PASSWORD: rootPassword,
    ...Object.fromEntries(Object.entries(notify).filter(([name]) => name.includes('_PASSWORD_'))),
  };
}

function busConfig(graph: Graph, passwords: Readonly<Record<string, string>>): object {
  const { nats: port, monitor } = defaultPorts;
  const config = natsConfig({ program: '', port, monitor, dataDir: DATA, users: busPermissions(graph), passwords });
  // The network of the containers and compose.yaml limit access to the ports.
  return { ...config, host: '0.0.0.0', http: `0.0.0.0:${monitor}` };
}

/** Returns the environment of an administrator for `mc`, `nats` and `fave`. The ports are those of compose.yaml. */
function shellEnvironment(rootPassword: string, busPassword: string): string {
  const { bucket } = readConfig({}).store;
  const storePort = `\${FAVE_STORE_PORT:-${defaultPorts.minio}}`;
  const values = {
    MC_HOST_fave: `http://${ROOT_USER}:${rootPassword}@127.0.0.1:${storePort}`,
    ARTIFACT_ENDPOINT: `http://127.0.0.1:${storePort}`,
    ARTIFACT_BUCKET: bucket,
    ARTIFACT_ACCESS_KEY: ROOT_USER,
    ARTIFACT_SECRET_KEY: rootPassword,
    NATS_URL: `nats://127.0.0.1:\${FAVE_NATS_PORT:-${defaultPorts.nats}}`,
    NATS_USER: 'admin',
    NATS_PASSWORD: busPassword,
  };
  return variables(values, 'export ');
}

function variables(values: Readonly<Record<string, string>>, before = ''): string {
  return Object.entries(values)
    .map(([name, value]) => `${before}${name}=${value}\n`)
    .join('');
}

/** Restricts the directories to their owner. Docker creates mounted directories readable for all. */
async function closeFolders(dir: string): Promise<void> {
  const entries = await readdir(dir, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(dir, name));
  await Promise.all([dir, ...folders].map((folder) => chmod(folder, 0o700)));
}

async function handOver(path: string, uid: number, gid: number): Promise<void> {
  for (const name of await readdir(path, { recursive: true })) await chown(join(path, name), uid, gid);
  await chown(path, uid, gid);
}
