import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { connectBus, type Bus } from '../../shared/bus.ts';
import { readConfig, type BusConfig, type StoreConfig } from '../../shared/config.ts';
import type { Graph } from '../../shared/graph.ts';
import { streams } from '../../shared/topology.ts';
import { run } from '../compose/run.ts';
import { ROOT_USER } from '../foundation.ts';
import { hosts, NAMESPACE, ports } from '../kubernetes/names.ts';
import { rolesOf, secretManifests } from '../kubernetes/secrets.ts';
import { root } from '../paths.ts';
import { ensureSecrets } from '../secrets.ts';
import { applyOverlay, createApi, kubectl, makeVolumes, runDir } from './cluster.ts';

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
  /** Uploads a file with `mc cp`, options as its metadata. */
  submit(id: string, file: string, attributes?: Readonly<Record<string, string>>): Promise<void>;
  /** Addresses of a stage's pods by name. */
  pods(stage: string): Promise<Map<string, string>>;
}

export interface Pods {
  readonly items: readonly {
    metadata: { name: string; deletionTimestamp?: string };
    status: { podIP?: string; phase: string };
  }[];
}

interface Monitor {
  readonly account_details?: readonly {
    readonly stream_detail: readonly {
      readonly name: string;
      readonly consumer_detail?: readonly {
        readonly name: string;
        readonly num_pending: number;
        readonly num_ack_pending: number;
      }[];
    }[];
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

/** Installs FAVE by an overlay and waits until it is set up. @param mc The `mc` program. */
export async function install(graph: Graph, overlay: string, mc: string): Promise<System> {
  const secrets = await ensureSecrets(join(runDir, 'secrets'), rolesOf(graph));
  await makeVolumes([hosts.store, hosts.bus].map((name) => `data-${name}-0`));
  await kubectl(['apply', '-f', join(root, 'k8s', 'base', 'namespace.yaml')]);
  await kubectl(
    ['apply', '-f', '-'],
    secretManifests(graph, secrets)
      .map((each) => stringify(each))
      .join('---\n'),
  );
  await applyOverlay(overlay);
  await kubectl(['-n', 'fave', 'wait', '--for=condition=complete', 'job/set-up', '--timeout=300s']);
  for (const name of ['relay', 'tracker'])
    await kubectl(['-n', 'fave', 'rollout', 'status', `deployment/${name}`, '--timeout=300s']);

  const api = await createApi();
  const ip = async (service: string): Promise<string> =>
    kubectl(['-n', 'fave', 'get', 'service', service, '-o', 'jsonpath={.spec.clusterIP}']);
  const [storeIp, busIp] = await Promise.all([ip(hosts.store), ip(hosts.bus)]);
  const busOf = (user: string): BusConfig => ({
    servers: [`nats://${busIp}:${ports.bus}`],
    user,
    password: secrets.bus[user] ?? '',
    ca: undefined,
  });
  const bus = await connectBus(busOf('viewer'), 'test');
  const pods = async (stage: string): Promise<Map<string, string>> => {
    const { items } = await api<Pods>(`/api/v1/namespaces/fave/pods?labelSelector=app.kubernetes.io%2Fname%3D${stage}`);
    return new Map(items.map(({ metadata, status }) => [metadata.name, status.podIP ?? '']));
  };
  const nodes = await pods(hosts.bus);
  const access = {
    MC_HOST_fave: `http://${ROOT_USER}:${secrets.store[ROOT_USER] ?? ''}@${storeIp}:${ports.store}`,
    MC_CONFIG_DIR: join(runDir, 'mc'),
  };
  return {
    api,
    bus,
    pods,
    admin: {
      store: {
        ...readConfig({}).store,
        endpoint: `http://${storeIp}:${ports.store}`,
        accessKey: ROOT_USER,
        secretKey: secrets.store[ROOT_USER] ?? '',
      },
      bus: busOf('admin'),
    },
    log: (pod) => kubectl(['-n', NAMESPACE, 'logs', pod]),
    lags: async () => {
      const [node = ''] = nodes.values();
      const response = await fetch(`http://${node}:${ports.monitor}/jsz?acc=$G&consumers=true`);
      const { account_details = [] } = (await response.json()) as Monitor;
      const landed = account_details.flatMap((account) => account.stream_detail).find(({ name }) => name === streams.landed);
      return new Map((landed?.consumer_detail ?? []).map((each) => [each.name, each.num_pending + each.num_ack_pending]));
    },
    submit: async (id, file, attributes = {}) => {
      const attr = Object.entries(attributes)
        .map(([name, value]) => `fave-${name}=${value}`)
        .join(';');
      await run(mc, ['cp', ...(attr ? ['--attr', attr] : []), file, `fave/fave-artifacts/requests/${id}/input/`], {
        env: access,
      });
    },
  };
}
