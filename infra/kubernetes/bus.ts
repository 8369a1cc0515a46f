import type { IStatefulSet } from 'kubernetes-models/apps/v1/StatefulSet';
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import type { IService } from 'kubernetes-models/v1/Service';
import { clusterConfig, natsConfig } from '../servers/nats.ts';
import { busPermissions } from '../access/permissions.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import { addressOf, BUS_CONFIG, BUS_USERS, hosts, images, labels, NAMESPACE, ports, selector } from './names.ts';
import { podTemplate } from './pod.ts';
import { budget } from './services.ts';

const DATA = '/data';
const CONFIG = '/etc/nats';

/** The server's configuration, beside the kustomization and in the container. */
export const BUS_CONFIG_FILE = 'nats.conf';

/** Nodes of the cluster of the scale-out component: the fewest of which one may fail. */
export const BUS_NODES = 3;

/** Files of the Secret that lies beside it: the users, and the nodes of a cluster, with their passwords. */
export const BUS_USERS_FILE = 'users.conf';
export const BUS_ROUTES_FILE = 'routes.conf';

/** The server's configuration, but for what has passwords in it. */
export function busConfig({ clustered }: { clustered: boolean }): string {
  const { jetstream } = natsConfig({
    port: ports.bus,
    monitor: ports.monitor,
    dataDir: DATA,
    users: {},
    passwords: {},
    program: '',
  }) as { jetstream: object };
  const settings = {
    port: ports.bus,
    http: ports.monitor,
    pid_file: '/tmp/nats.pid',
    // In which a cluster's node that is about to stop sends its clients to others, as in upstream's chart: the server's own
    // two minutes are longer than the pod's grace.
    lame_duck_grace_period: '10s',
    lame_duck_duration: '30s',
    jetstream,
  };
  const included = [BUS_USERS_FILE, ...(clustered ? [BUS_ROUTES_FILE] : [])].map((file) => `include ./${file}\n`).join('');
  // What JSON cannot say: the name of the pod, and other files.
  return `server_name: $POD_NAME\n${included}${JSON.stringify(settings, null, 2).slice(2, -2).replace(/^ {2}/gm, '')}\n`;
}

/** The file of the users, with the rights that follow from the graph. */
export function busUsers(graph: Graph, passwords: Readonly<Record<string, string>>): string {
  const { authorization } = natsConfig({
    port: ports.bus,
    monitor: ports.monitor,
    dataDir: DATA,
    users: busPermissions(graph),
    passwords,
    program: '',
  }) as { authorization: object };
  return `authorization: ${JSON.stringify(authorization, null, 2)}\n`;
}

/** The file of a cluster's nodes, who find each other by the names of the headless Service. */
export function busRoutes(password: string): string {
  const routes = Array.from({ length: BUS_NODES }, (_, n) => `${hosts.bus}-${n}.${addressOf(hosts.busNodes)}:${ports.routes}`);
  const cluster = {
    ...clusterConfig({ port: ports.routes, routes, password }),
    // Clients reach nodes by the Service; KEDA finds the leader of a consumer by the nodes' names.
    no_advertise: true,
  };
  return `cluster: ${JSON.stringify(cluster, null, 2)}\n`;
}

/** NATS with JetStream on one node. */
export function bus(): [IService, IService, IStatefulSet, IPodDisruptionBudget] {
  const metadata = { namespace: NAMESPACE, labels: labels(hosts.bus, 'bus') };
  const client = { name: 'nats', port: ports.bus };
  const monitor = { name: 'monitor', port: ports.monitor };
  const service = (name: string, spec: IService['spec']): IService => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: NAMESPACE, name, labels: labels(name, 'bus') },
    spec: { ...spec, selector: selector(hosts.bus).matchLabels },
  });
  return [
    service(hosts.bus, { ports: [client] }),
    service(hosts.busNodes, {
      clusterIP: 'None',
      // Nodes that form a cluster are not ready before they have found each other.
      publishNotReadyAddresses: true,
      ports: [client, monitor, { name: 'routes', port: ports.routes }],
    }),
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { ...metadata, name: hosts.bus },
      spec: {
        serviceName: hosts.busNodes,
        replicas: 1,
        podManagementPolicy: 'Parallel',
        selector: selector(hosts.bus),
        template: podTemplate({ name: hosts.bus, component: 'bus', size, grace: 60, container, more: { volumes } }),
        volumeClaimTemplates: [claim('20Gi')],
      },
    },
    budget(hosts.bus, 'bus'),
  ];
}

/** Disk of a server, which stays when the server goes. The cluster's default storage class. */
export function claim(storage: string): NonNullable<NonNullable<IStatefulSet['spec']>['volumeClaimTemplates']>[number] {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
  };
}

const volumes = [
  { name: 'config', projected: { sources: [{ configMap: { name: BUS_CONFIG } }, { secret: { name: BUS_USERS } }] } },
];

const size = { cpu: { request: 0.1, limit: 2 }, memoryMb: 1_024, tmpMb: 16 };

const health = (query: string) => ({ httpGet: { path: `/healthz${query}`, port: 'monitor' } });

const container = {
  image: images.bus,
  args: ['--config', `${CONFIG}/${BUS_CONFIG_FILE}`],
  env: [{ name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
  ports: [
    { name: 'nats', containerPort: ports.bus },
    { name: 'monitor', containerPort: ports.monitor },
    { name: 'routes', containerPort: ports.routes },
  ],
  volumeMounts: [
    { name: 'data', mountPath: DATA },
    { name: 'config', mountPath: CONFIG, readOnly: true },
  ],
  // Begun is who has all streams again, in a cluster as the others have them: of several nodes the next one is taken only then.
  // That may take its time; `js-server-only` would say yes before JetStream is there.
  startupProbe: { ...health(''), periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 900 },
  livenessProbe: { ...health('?js-enabled-only=true'), periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
  readinessProbe: { ...health('?js-server-only=true'), periodSeconds: 5, timeoutSeconds: 5 },
};
