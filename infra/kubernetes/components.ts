import { stringify } from 'yaml';
import { BUS_CONFIG_FILE, BUS_NODES } from './bus.ts';
import { BUS_CONFIG, ENVIRONMENT, hosts, literals, NAMESPACE } from './names.ts';
import { clusterPolicies, externalStorePolicy, STORE_POLICY } from './network.ts';
import type { ServiceEnvironment } from './services.ts';
import { ROLES_VOLUME, SET_UP } from './set-up.ts';
import { STORE_NODES, storeArgs } from './store.ts';

const environment = (values: ServiceEnvironment): object => ({
  name: ENVIRONMENT,
  namespace: NAMESPACE,
  behavior: 'merge',
  literals: literals(values),
});

const patches = (objects: readonly object[]): object[] =>
  objects.map((object) => ({ patch: stringify(object, { lineWidth: 0 }) }));

const statefulSet = (name: string, spec: object): object => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name, namespace: NAMESPACE },
  spec,
});

export const clusterResources = () => ({ 'network-policies': clusterPolicies() });

/**
 * In place of the base's single nodes: three NATS servers that keep each stream three times, four MinIO servers that
 * erasure-code each object over their drives, and a second relay and tracker.
 */
export function cluster(): object {
  const pod = (container: object): object => ({ spec: { containers: [container] } });
  // Clients are asked to go to another node before this one stops.
  const lameDuck = { preStop: { exec: { command: ['nats-server', '-sl=ldm=/tmp/nats.pid'] } } };
  return {
    configMapGenerator: [
      environment({ FAVE_STREAM_REPLICAS: String(BUS_NODES) }),
      { name: BUS_CONFIG, namespace: NAMESPACE, behavior: 'merge', files: [BUS_CONFIG_FILE] },
    ],
    replicas: ['relay', 'tracker'].map((name) => ({ name, count: 2 })),
    patches: patches([
      statefulSet(hosts.bus, { replicas: BUS_NODES, template: pod({ name: hosts.bus, lifecycle: lameDuck }) }),
      statefulSet(hosts.store, {
        replicas: STORE_NODES,
        // MinIO's nodes speak only with those that have the same program, environment and root password: one that is replaced by itself
        // would find nobody, and hold up the rest for ever.
        updateStrategy: { type: 'OnDelete' },
        template: pod({ name: hosts.store, args: storeArgs({ clustered: true }) }),
      }),
    ]),
  };
}

/** Set-up makes access keys in MinIO alone; without a list of roles it leaves the store's as they are. */
const keysAreGiven = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: SET_UP, namespace: NAMESPACE },
  spec: { template: { spec: { volumes: [{ name: ROLES_VOLUME, secret: null, emptyDir: { sizeLimit: '1Mi' } }] } } },
};

export const externalStoreResources = () => ({ 'external-store-policy': [externalStorePolicy()] });

/** In place of MinIO: an S3 of somebody else's, which announces nothing, so that FAVE looks for what landed. Its address is to be set. */
export function externalStore(): object {
  const gone = [
    { apiVersion: 'apps/v1', kind: 'StatefulSet', name: hosts.store },
    { apiVersion: 'v1', kind: 'Service', name: hosts.store },
    { apiVersion: 'v1', kind: 'Service', name: hosts.storeNodes },
    { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', name: hosts.store },
    { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', name: STORE_POLICY },
  ];
  return {
    configMapGenerator: [
      environment({
        ARTIFACT_ENDPOINT: 'https://s3.eu-central-1.amazonaws.com',
        ARTIFACT_REGION: 'eu-central-1',
        ARTIFACT_PATH_STYLE: 'false',
        FAVE_EVENT_SOURCE: 'sweep',
      }),
    ],
    patches: patches([
      ...gone.map(({ apiVersion, kind, name }) => ({
        $patch: 'delete',
        apiVersion,
        kind,
        metadata: { name, namespace: NAMESPACE },
      })),
      keysAreGiven,
    ]),
  };
}
