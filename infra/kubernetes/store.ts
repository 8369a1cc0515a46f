import type { IStatefulSet } from 'kubernetes-models/apps/v1/StatefulSet';
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import type { IContainer } from 'kubernetes-models/v1/Container';
import type { IService } from 'kubernetes-models/v1/Service';
import { notifyEnvironment } from '../servers/minio.ts';
import { claim } from './bus.ts';
import { addressOf, hosts, images, labels, NAMESPACE, ports, selector, STORE_ROOT } from './names.ts';
import { restrictedSecurityContext, podTemplate, resources } from './pod.ts';
import { budget } from './services.ts';

/** Nodes of the scale-out component, a drive each: half of the drives may fail before data is lost, one before writes fail. */
export const STORE_NODES = 4;

/** Objects, and the events that wait for the bus, on one disk: who has the one has the other. */
const DATA = '/data';

/** Arguments of the server on one node, or on {@link STORE_NODES} that erasure-code over their drives. */
export function storeArgs({ clustered }: { clustered: boolean }): string[] {
  const host = `${hosts.store}-{0...${STORE_NODES - 1}}.${addressOf(hosts.storeNodes)}`;
  const objects = clustered ? `http://${host}:${ports.store}${DATA}/objects` : `${DATA}/objects`;
  return ['server', objects, '--address', `:${ports.store}`, '--certs-dir', '/tmp/certs'];
}

/** MinIO on one node, which announces to the bus what lands. */
export function store(): [IService, IService, IStatefulSet, IPodDisruptionBudget] {
  const metadata = { namespace: NAMESPACE, labels: labels(hosts.store, 'store') };
  const service = (name: string, spec: IService['spec']): IService => ({
    apiVersion: 'v1',
    kind: 'Service',
    // A name of its own: monitors that select services would have each pod twice.
    metadata: { namespace: NAMESPACE, name, labels: labels(name, 'store') },
    spec: { ...spec, selector: selector(hosts.store).matchLabels, ports: [{ name: 's3', port: ports.store }] },
  });
  return [
    service(hosts.store, {}),
    service(hosts.storeNodes, { clusterIP: 'None', publishNotReadyAddresses: true }),
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { ...metadata, name: hosts.store },
      spec: {
        serviceName: hosts.storeNodes,
        replicas: 1,
        podManagementPolicy: 'Parallel',
        selector: selector(hosts.store),
        template: podTemplate({
          name: hosts.store,
          component: 'store',
          size: { cpu: { request: 0.1, limit: 2 }, memoryMb: 2_048, tmpMb: 1_024 },
          grace: 60,
          container: container(),
          more: { initContainers: [busWait] },
        }),
        volumeClaimTemplates: [claim('50Gi')],
      },
    },
    budget(hosts.store, 'store'),
  ];
}

const monitor = `http://${addressOf(hosts.busNodes)}:${ports.monitor}/healthz?js-server-only=true`;

/**
 * MinIO builds its notification targets as it starts, and one that finds no bus then is none, until the next start.
 * By Node: the `wget` of the store's own image is linked statically, and crashes where a name has to be resolved.
 */
const busWait: IContainer = {
  name: 'wait-for-bus',
  image: images.core,
  command: [
    'node',
    '-e',
    `(function ask() { fetch('${monitor}').then(({ ok }) => ok || setTimeout(ask, 500), () => setTimeout(ask, 500)); })()`,
  ],
  securityContext: restrictedSecurityContext,
  resources: resources({ cpu: { request: 0.01, limit: 0.5 }, memoryMb: 128 }),
};

function container(): Omit<IContainer, 'name' | 'resources'> {
  const health = (path: string) => ({ httpGet: { path: `/minio/health/${path}`, port: 's3' } });
  return {
    image: images.store,
    args: storeArgs({ clustered: false }),
    env: environment(),
    ports: [{ name: 's3', containerPort: ports.store }],
    volumeMounts: [{ name: 'data', mountPath: DATA }],
    startupProbe: { ...health('live'), periodSeconds: 1, failureThreshold: 120 },
    livenessProbe: { ...health('live'), periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
    // Not `ready`, which says nothing of the other nodes: one that starts and has not found them yet answers 404 for what it lacks itself.
    readinessProbe: { ...health('cluster'), periodSeconds: 2, timeoutSeconds: 5 },
  };
}

/** Keys of the Secret {@link STORE_ROOT}. */
export const rootKeys = { user: 'MINIO_ROOT_USER', password: 'MINIO_ROOT_PASSWORD', bus: 'NATS_PASSWORD' } as const;

function environment(): NonNullable<IContainer['env']> {
  const secret = (name: string, key: string) => ({ name, valueFrom: { secretKeyRef: { name: STORE_ROOT, key } } });
  const notify = notifyEnvironment(
    { address: `${addressOf(hosts.bus)}:${ports.bus}`, user: 'minio', password: '' },
    `${DATA}/queue`,
  );
  return [
    ...[rootKeys.user, rootKeys.password].map((key) => secret(key, key)),
    { name: 'MINIO_UPDATE', value: 'off' },
    // Nobody but the monitoring's namespace may ask: network policies.
    { name: 'MINIO_PROMETHEUS_AUTH_TYPE', value: 'public' },
    ...Object.entries(notify).map(([name, value]) =>
      name.includes('_PASSWORD_') ? secret(name, rootKeys.bus) : { name, value },
    ),
  ];
}
