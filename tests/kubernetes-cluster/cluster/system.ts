import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectBus, type Bus } from '../../../shared/bus/connection.ts';
import { readConfig, type BusConfig, type StoreConfig } from '../../../shared/config/config.ts';
import type { Graph } from '../../../shared/pipeline/graph.ts';
import { run } from '../../../infra/compose/run.ts';
import { hosts, NAMESPACE, ports, serverCounts } from '../../../infra/kubernetes/names.ts';
import { rolesOf, secretManifests } from '../../../infra/kubernetes/secrets.ts';
import { root } from '../../../infra/process/paths.ts';
import { ensureSecrets, ROOT_USER } from '../../../infra/access/secrets.ts';
import { apply, applyOverlay, createApi, kubectl, makeVolumes, runDir, type Adaptation } from './kubectl.ts';
import { createLags } from './consumer-lag.ts';

/** FAVE in the cluster, and a person's access to it. */
export interface System {
  api<T>(path: string): Promise<T>;
  bus: Bus;
  /** An administrator's access. */
  admin: { readonly store: StoreConfig; readonly bus: BusConfig };
  /** What a pod has said so far. */
  log(pod: string): Promise<string>;
  /** `num_pending + num_ack_pending` by consumer, as KEDA reads it. */
  lags(): Promise<Map<string, number>>;
  /** Runs `mc`, with the store as `fave`. @returns What it said. */
  mc(...args: string[]): Promise<string>;
  /** Uploads a file with `mc cp`, options as its metadata. */
  submit(id: string, file: string, attributes?: Readonly<Record<string, string>>): Promise<void>;
  /** Addresses of a stage's pods by name. */
  pods(stage: string): Promise<Map<string, string>>;
  /** Ends the access; the system stays. */
  close(): Promise<void>;
}

export interface Pods {
  readonly items: readonly {
    metadata: { name: string; deletionTimestamp?: string };
    status: { podIP?: string; phase: string };
  }[];
}

/** Waits until `ask` answers with something. @throws Error that names what did not happen in time. */
export async function until<T>(what: string, seconds: number, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + seconds * 1_000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${seconds} s`);
    await sleep(250);
  }
}

export interface InstallOptions {
  readonly adaptation?: Adaptation;
  /** Where objects are, and with which keys, when that is no MinIO of the overlay. */
  readonly store?: StoreConfig;
}

/** Where this installation's passwords are. */
export const secretsDir = join(runDir, 'secrets');

/** Installs FAVE by an overlay and waits until it is set up. @param mc The `mc` program. */
export async function install(
  graph: Graph,
  overlay: string,
  mc: string,
  { adaptation, store: given }: InstallOptions = {},
): Promise<System> {
  const secrets = await ensureSecrets(secretsDir, rolesOf(graph));
  const claims = (host: string, count: number): string[] => Array.from({ length: count }, (_, node) => `data-${host}-${node}`);
  await makeVolumes([...claims(hosts.store, serverCounts.store), ...claims(hosts.bus, serverCounts.bus)]);
  await kubectl(['apply', '-f', join(root, 'k8s', 'base', 'namespace.yaml')]);
  await apply(secretManifests(graph, secrets, given));
  await applyOverlay(overlay, adaptation);
  await kubectl(['-n', NAMESPACE, 'wait', '--for=condition=complete', 'job/set-up', '--timeout=300s']);
  for (const name of ['relay', 'tracker'])
    await kubectl(['-n', NAMESPACE, 'rollout', 'status', `deployment/${name}`, '--timeout=300s']);
  return accessTo(graph, mc, given);
}

/** A person's access to what is installed, by its passwords of now. @param mc The `mc` program. */
export async function accessTo(graph: Graph, mc: string, given?: StoreConfig): Promise<System> {
  const secrets = await ensureSecrets(secretsDir, rolesOf(graph));
  const api = await createApi();
  const ip = async (service: string): Promise<string> =>
    kubectl(['-n', NAMESPACE, 'get', 'service', service, '-o', 'jsonpath={.spec.clusterIP}']);
  const busIp = await ip(hosts.bus);
  const busOf = (user: string): BusConfig => ({
    servers: [`nats://${busIp}:${ports.bus}`],
    user,
    password: secrets.bus[user] ?? '',
    ca: undefined,
  });
  const store = given ?? {
    ...readConfig({}).store,
    endpoint: `http://${await ip(hosts.store)}:${ports.store}`,
    accessKey: ROOT_USER,
    secretKey: secrets.store[ROOT_USER] ?? '',
  };
  const bus = await connectBus(busOf('viewer'), 'test');
  const pods = async (name: string): Promise<Map<string, string>> => {
    const { items } = await api<Pods>(`/api/v1/namespaces/${NAMESPACE}/pods?labelSelector=app.kubernetes.io%2Fname%3D${name}`);
    return new Map(items.map(({ metadata, status }) => [metadata.name, status.podIP ?? '']));
  };
  const runMc = createMc(mc, store);
  return {
    api,
    bus,
    pods,
    admin: { store, bus: busOf('admin') },
    log: (pod) => kubectl(['-n', NAMESPACE, 'logs', pod]),
    lags: createLags(() => pods(hosts.bus)),
    mc: runMc,
    close: () => bus.close(),
    submit: async (id, file, attributes = {}) => {
      const attr = Object.entries(attributes)
        .map(([name, value]) => `fave-${name}=${value}`)
        .join(';');
      await runMc('cp', ...(attr ? ['--attr', attr] : []), file, `fave/${store.bucket}/requests/${id}/input/`);
    },
  };
}

/** Runs `mc` with a configuration of its own, which trusts the store's authority. */
function createMc(mc: string, { endpoint, accessKey, secretKey, ca }: StoreConfig): System['mc'] {
  const [scheme, host] = endpoint.split('://');
  const env = {
    MC_HOST_fave: `${scheme}://${accessKey}:${secretKey}@${host}`,
    MC_CONFIG_DIR: join(runDir, 'mc'),
    ...(ca !== undefined && { SSL_CERT_FILE: ca }),
  };
  return (...args) => run(mc, args, { env });
}

/** Removes the system and its data, if there is one. */
export async function uninstall(): Promise<void> {
  // Before the namespace: having deleted pods itself, its controller looks again after half of their grace period, half an hour.
  const owners = 'deployments.apps,statefulsets.apps,jobs.batch';
  await kubectl(['-n', NAMESPACE, 'delete', 'scaledobjects.keda.sh', '--all', '--ignore-not-found', '--timeout=120s']);
  await kubectl(['-n', NAMESPACE, 'delete', owners, '--all', '--ignore-not-found', '--timeout=120s']);
  // Whoever is at an item would wait for a store that is gone, until its grace of an hour is over.
  await kubectl(['-n', NAMESPACE, 'delete', 'pods', '--all', '--ignore-not-found', '--grace-period=1', '--wait=false']);
  await until('no pod', 120, async () => (await kubectl(['-n', NAMESPACE, 'get', 'pods', '-o', 'name'])) === '' || undefined);
  await kubectl(['delete', 'namespace', NAMESPACE, '--ignore-not-found', '--wait', '--timeout=300s']);
  await kubectl(['delete', 'persistentvolumes', '--all', '--wait', '--timeout=60s']);
  await rm(join(runDir, 'volumes'), { recursive: true, force: true });
}
