import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectBus, type Bus } from '../../../shared/bus/connection.ts';
import { readConfig, type BusConfig, type StoreConfig } from '../../../shared/config/config.ts';
import type { Graph } from '../../../shared/pipeline/graph.ts';
import { run } from '../../support/docker/run.ts';
import { hosts, NAMESPACE, ports, serverCounts } from '../../../infra/kubernetes/names.ts';
import { rolesOf, secretManifests } from '../../../infra/kubernetes/secrets.ts';
import { root } from '../../../infra/process/paths.ts';
import { ensureSecrets, ROOT_USER } from '../../../infra/access/secrets.ts';
import { apply, applyOverlay, createApiClient, kubectl, createVolumes, runDir, type OverlayChanges } from './kubectl.ts';
import { createLagReader } from './consumer-lag.ts';

/** An installation of FAVE in the cluster, with an operator's access. */
export interface System {
  api<T>(path: string): Promise<T>;
  bus: Bus;
  /** Connection settings of an administrator. */
  admin: { readonly store: StoreConfig; readonly bus: BusConfig };
  /** Returns the log of a pod. */
  log(pod: string): Promise<string>;
  /** Returns the lag by consumer, as KEDA reads it. */
  lags(): Promise<Map<string, number>>;
  /** Runs `mc`, with the store as `fave`. @returns Its standard output. */
  mc(...args: string[]): Promise<string>;
  /** Uploads a file with `mc cp`, with request options as its metadata. */
  submit(id: string, file: string, attributes?: Readonly<Record<string, string>>): Promise<void>;
  /** Returns the addresses of a stage's pods by name. */
  pods(stage: string): Promise<Map<string, string>>;
  /** Closes the connections. The installation remains. */
  close(): Promise<void>;
}

export interface Pods {
  readonly items: readonly {
    metadata: { name: string; deletionTimestamp?: string };
    status: { podIP?: string; phase: string };
  }[];
}

/** Polls until `probe` returns a value. @throws Error that names the condition after `seconds`. */
export async function waitUntil<T>(condition: string, seconds: number, probe: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + seconds * 1_000;
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    if (performance.now() > deadline) throw new Error(`timed out after ${seconds} s: ${condition}`);
    await sleep(250);
  }
}

export interface InstallOptions {
  readonly changes?: OverlayChanges;
  /** Address and keys of an external store. */
  readonly store?: StoreConfig;
}

/** Directory of the installation's passwords. */
export const secretsDir = join(runDir, 'secrets');

/** Installs FAVE from an overlay and waits until it is set up. @param mc Path of the `mc` program. */
export async function install(
  graph: Graph,
  overlay: string,
  mc: string,
  { changes, store: externalStore }: InstallOptions = {},
): Promise<System> {
  const secrets = await ensureSecrets(secretsDir, rolesOf(graph));
  const claims = (host: string, count: number): string[] => Array.from({ length: count }, (_, node) => `data-${host}-${node}`);
  await createVolumes([...claims(hosts.store, serverCounts.store), ...claims(hosts.bus, serverCounts.bus)]);
  await kubectl(['apply', '-f', join(root, 'k8s', 'base', 'namespace.yaml')]);
  await apply(secretManifests(graph, secrets, externalStore));
  await applyOverlay(overlay, changes);
  await kubectl(['-n', NAMESPACE, 'wait', '--for=condition=complete', 'job/set-up', '--timeout=300s']);
  for (const name of ['relay', 'tracker'])
    await kubectl(['-n', NAMESPACE, 'rollout', 'status', `deployment/${name}`, '--timeout=300s']);
  return connectToSystem(graph, mc, externalStore);
}

/** Connects to the installation with its current passwords. @param mc Path of the `mc` program. */
export async function connectToSystem(graph: Graph, mc: string, externalStore?: StoreConfig): Promise<System> {
  const secrets = await ensureSecrets(secretsDir, rolesOf(graph));
  const api = await createApiClient();
  const ip = async (service: string): Promise<string> =>
    kubectl(['-n', NAMESPACE, 'get', 'service', service, '-o', 'jsonpath={.spec.clusterIP}']);
  const busIp = await ip(hosts.bus);
  const busOf = (user: string): BusConfig => ({
    servers: [`nats://${busIp}:${ports.bus}`],
    user,
    password: secrets.bus[user] ?? '',
    ca: undefined,
  });
  const store = externalStore ?? {
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
    lags: createLagReader(() => pods(hosts.bus)),
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

/** Returns a function that runs `mc` with a private configuration that trusts the store's certificate authority. */
function createMc(mc: string, { endpoint, accessKey, secretKey, ca }: StoreConfig): System['mc'] {
  const [scheme, host] = endpoint.split('://');
  const env = {
    MC_HOST_fave: `${scheme}://${accessKey}:${secretKey}@${host}`,
    MC_CONFIG_DIR: join(runDir, 'mc'),
    ...(ca !== undefined && { SSL_CERT_FILE: ca }),
  };
  return (...args) => run(mc, args, { env });
}

/** Removes the installation and its data, if one exists. */
export async function uninstall(): Promise<void> {
  // Before the namespace: the namespace controller retries only after half the grace period of deleted pods, which is half an hour.
  const owners = 'deployments.apps,statefulsets.apps,jobs.batch';
  await kubectl(['-n', NAMESPACE, 'delete', 'scaledobjects.keda.sh', '--all', '--ignore-not-found', '--timeout=120s']);
  await kubectl(['-n', NAMESPACE, 'delete', owners, '--all', '--ignore-not-found', '--timeout=120s']);
  // A pod with an item in progress would wait an hour for the deleted store.
  await kubectl(['-n', NAMESPACE, 'delete', 'pods', '--all', '--ignore-not-found', '--grace-period=1', '--wait=false']);
  await waitUntil(
    'all pods are deleted',
    120,
    async () => (await kubectl(['-n', NAMESPACE, 'get', 'pods', '-o', 'name'])) === '' || undefined,
  );
  await kubectl(['delete', 'namespace', NAMESPACE, '--ignore-not-found', '--wait', '--timeout=300s']);
  await kubectl(['delete', 'persistentvolumes', '--all', '--wait', '--timeout=60s']);
  await rm(join(runDir, 'volumes'), { recursive: true, force: true });
}
