/** Names and ports in the manifests of `k8s/` that other code needs. */

export const NAMESPACE = 'fave';

export const ports = {
  /** `/metrics` and `/healthz` of every service. */
  http: 8080,
  bus: 4222,
  monitor: 8222,
  routes: 6222,
  store: 9000,
} as const;

/** Services of the cluster; `storeNodes` and `busNodes` are headless and name each pod. */
export const hosts = { store: 'minio', storeNodes: 'minio-nodes', bus: 'nats', busNodes: 'nats-nodes' } as const;

/** Servers in the scale-out overlay. NATS tolerates the loss of one of three, MinIO writes without one of four. */
export const serverCounts = { bus: 3, store: 4 } as const;

/** Images by content (infra/images/Dockerfile). An overlay adds the registry. */
export const images = {
  core: 'fave-core',
  media: 'fave-media',
  setUp: 'fave-set-up',
  store: 'fave-minio',
  bus: 'fave-nats',
} as const;

/** Returns the address of a Service that every namespace can resolve. */
export const addressOf = (host: string): string => `${host}.${NAMESPACE}.svc.cluster.local`;

/** Returns the name of the Secret with a role's access to the store and the bus. */
export const secretOf = (role: string): string => `access-${role}`;
