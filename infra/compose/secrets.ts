import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readConfig } from '../../shared/config/config.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import { localRoles } from '../access/roles.ts';
import { notifyEnvironment } from '../servers/minio.ts';
import { natsConfig } from '../servers/nats.ts';
import { busPermissions } from '../access/permissions.ts';
import { defaultPorts } from '../deployment/ports.ts';
import { ensureSecrets, deleteSecrets, type Secrets, ROOT_USER } from '../access/secrets.ts';
import { serviceNames } from '../deployment/services.ts';
import { BUS_ADDRESS, DATA, QUEUE } from './names.ts';

/** The job that prepares the servers, as an administrator of both. */
const SET_UP = 'set-up';

export interface MakeSecrets {
  readonly graph: Graph;
  /** Absolute. */
  readonly dir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Makes all passwords anew, those of servers and services; what runs goes on with the old ones until it is started again. */
  readonly rotate?: boolean;
}

/**
 * Makes the random passwords of a system of containers: a folder for each that has secrets, which it sees as `/run/secrets`, and `env` for
 * a person's shell. Passwords that exist stay, so that it may run at every start, when a stage was added say.
 * The files belong to the user that the containers run as (FAVE_UID, FAVE_GID), who alone may read them.
 * @returns What to do next.
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
  // Grafana keeps it in its own database from its first start on.
  await mkdir(join(dir, 'grafana'), { recursive: true });
  const grafana = { mode: 0o600, flag: 'wx' };
  await writeFile(join(dir, 'grafana/grafana'), randomBytes(18).toString('hex'), grafana).catch(() => undefined);
  await closeFolders(dir);
  if (process.getuid?.() === 0) await handOver(dir, Number(env['FAVE_UID'] ?? 1000), Number(env['FAVE_GID'] ?? 1000));
  return `the secrets are in ${dir}; for a shell on this machine: . ${join(dir, 'env')}`;
}

/** What each container is given, by path: its folder is the service's. */
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
    'nats/nats.conf': JSON.stringify(busConfig(graph, bus), null, 2),
    ...access(SET_UP, ROOT_USER, 'admin'),
    ...Object.fromEntries(ofServices),
  };
}

/** What MinIO reads from a file (MINIO_CONFIG_ENV_FILE), because it must not stand in compose.yaml. */
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
  // Whom a container's ports are for, its network and compose.yaml say.
  return { ...config, host: '0.0.0.0', http: `0.0.0.0:${monitor}` };
}

/** For a person's shell, as administrator: what `mc`, `nats` and `fave` read. The ports are those of compose.yaml. */
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

/** For their owner alone: Docker has made those that a container mounts, for everybody to read. */
async function closeFolders(dir: string): Promise<void> {
  const entries = await readdir(dir, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(dir, name));
  await Promise.all([dir, ...folders].map((folder) => chmod(folder, 0o700)));
}

async function handOver(path: string, uid: number, gid: number): Promise<void> {
  for (const name of await readdir(path, { recursive: true })) await chown(join(path, name), uid, gid);
  await chown(path, uid, gid);
}
