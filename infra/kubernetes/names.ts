/** Names, ports and labels that the manifests agree on. */

export const NAMESPACE = 'fave';

export const ports = {
  /** /metrics and /healthz of every service. */
  http: 8080,
  bus: 4222,
  monitor: 8222,
  routes: 6222,
  store: 9000,
} as const;

/** Services of the cluster; the `Nodes` ones are headless and name each pod. */
export const hosts = { store: 'minio', storeNodes: 'minio-nodes', bus: 'nats', busNodes: 'nats-nodes' } as const;

/** Namespaces from which the autoscaler and the monitoring ask. */
export const peerNamespaces = { dns: 'kube-system', keda: 'keda', monitoring: 'monitoring' } as const;

/** What a pod is to the network: `service` is the relay, the tracker or a stage. */
export type Component = 'service' | 'set-up' | 'store' | 'bus';

export const labels = (name: string, component: Component): Record<string, string> => ({
  'app.kubernetes.io/name': name,
  'app.kubernetes.io/part-of': 'fave',
  'app.kubernetes.io/component': component,
});

export const selector = (name: string): { matchLabels: Record<string, string> } => ({
  matchLabels: { 'app.kubernetes.io/name': name },
});

/** Address within the cluster that every namespace can resolve. */
export const addressOf = (host: string): string => `${host}.${NAMESPACE}.svc.cluster.local`;

/** Name of the Secret with a role's access to the store and the bus, as environment. */
export const secretOf = (role: string): string => `access-${role}`;

/** Name of the generated ConfigMap with what is no secret of every service's environment. */
export const ENVIRONMENT = 'environment';

/** Name of the generated ConfigMap with the bus's configuration, and of the Secret with its users. */
export const BUS_CONFIG = 'nats-config';
export const BUS_USERS = 'nats-users';

/** Name of the Secret with the store's administrator, and the password of its user on the bus. */
export const STORE_ROOT = 'minio-root';

/** Images by what they hold (infra/images/Dockerfile); a registry is put before them by kustomize's `images`. */
export const images = {
  core: 'fave-core',
  media: 'fave-media',
  setUp: 'fave-set-up',
  store: 'fave-minio',
  bus: 'fave-nats',
} as const;

/** Values as kustomize's generators take them. */
export const literals = (values: Record<string, string>): string[] =>
  Object.entries(values).map(([key, value]) => `${key}=${value}`);
