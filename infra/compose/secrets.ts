import { randomBytes } from 'node:crypto';
import { chown, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readConfig } from '../../shared/config.ts';
import type { Graph } from '../../shared/graph.ts';
import { ROOT_USER } from '../foundation.ts';
import { notifyEnvironment } from '../minio.ts';
import { natsConfig } from '../nats.ts';
import { busPermissions } from '../permissions.ts';
import { storePolicies } from '../policies.ts';
import { defaultPorts } from '../ports.ts';
import { ensureSecrets, type Secrets } from '../secrets.ts';
import { BUS_ADDRESS, DATA, QUEUE } from './names.ts';

export interface MakeSecrets {
  readonly graph: Graph;
  /** Absolute. */
  readonly dir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Makes the random passwords of a system of containers, a file for each that one of them needs: `store/{role}`, `bus/{user}`,
 * the servers' own, and `env` for a person's shell. Passwords that exist stay, so that it may run again when a stage was added.
 * The files belong to the user that the containers run as (FAVE_UID, FAVE_GID), who alone may read them.
 * @returns What to do next.
 */
export async function makeSecrets({ graph, dir, env }: MakeSecrets): Promise<string> {
  const { bucket } = readConfig({}).store;
  const users = busPermissions(graph);
  const secrets = await ensureSecrets(dir, {
    bus: Object.keys(users),
    store: [ROOT_USER, ...Object.keys(storePolicies(graph, bucket))],
  });
  await Promise.all(['store', 'bus'].map((name) => mkdir(join(dir, name), { recursive: true, mode: 0o700 })));
  for (const [path, text] of Object.entries({ ...files(graph, secrets), '.gitignore': '*\n' })) {
    await writeFile(join(dir, path), text, { mode: 0o600 });
  }
  // Nothing of ours knows it but Grafana, and a person; one that was changed stays.
  await writeFile(join(dir, 'grafana'), randomBytes(18).toString('hex'), { mode: 0o600, flag: 'wx' }).catch(() => undefined);
  if (process.getuid?.() === 0) await handOver(dir, Number(env['FAVE_UID'] ?? 1000), Number(env['FAVE_GID'] ?? 1000));
  return `the secrets are in ${dir}; for a shell on this machine: . ${join(dir, 'env')}`;
}

function files(graph: Graph, { bus, store }: Secrets): Record<string, string> {
  const each = (folder: string, values: Readonly<Record<string, string>>): Record<string, string> =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [`${folder}/${name}`, value]));
  return {
    ...each('store', store),
    ...each('bus', bus),
    'minio.env': variables(minioSecrets(store[ROOT_USER] ?? '', bus['minio'] ?? '')),
    'nats.conf': JSON.stringify(busConfig(graph, bus), null, 2),
    env: shellEnvironment(store[ROOT_USER] ?? '', bus['admin'] ?? ''),
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

async function handOver(path: string, uid: number, gid: number): Promise<void> {
  for (const name of await readdir(path, { recursive: true })) await chown(join(path, name), uid, gid);
  await chown(path, uid, gid);
}
