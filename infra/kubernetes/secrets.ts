import { ROOT_USER, type Secrets } from '../access/secrets.ts';
import { readConfig, type environmentSchema, type StoreConfig } from '../../shared/config/config.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import { busAccounts } from '../access/accounts.ts';
import { busPermissions } from '../access/permissions.ts';
import { METRICS_ROLE, metricsToken } from '../access/metrics.ts';
import { accessKeyOf } from '../access/policies.ts';
import { localRoles } from '../access/roles.ts';
import { serviceNames } from '../deployment/services.ts';
import { clusterConfig, ROUTES } from '../servers/nats.ts';
import { addressOf, hosts, NAMESPACE, ports, secretOf, serverCounts } from './names.ts';

export interface SecretManifest {
  readonly apiVersion: 'v1';
  readonly kind: 'Secret';
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly type: 'Opaque';
  readonly stringData: Readonly<Record<string, string>>;
}

/** Returns the roles of an installation. They include the servers of a NATS cluster, so that an overlay may change to scale-out. */
export function rolesOf(graph: Graph): { bus: string[]; store: string[] } {
  const { bus, store } = localRoles(graph, readConfig({}).store.bucket);
  return { bus: [...bus, ROUTES], store };
}

/** Keys of an external store. */
export type ExternalStoreKeys = Pick<StoreConfig, 'accessKey' | 'secretKey'>;

/**
 * Returns every Secret that the manifests refer to. They belong to one installation and are never committed.
 * @param externalKeys Keys of an external store, which all services share. Default: each service gets its own key of MinIO.
 */
export function secretManifests(graph: Graph, secrets: Secrets, externalKeys?: ExternalStoreKeys): SecretManifest[] {
  const { bus, store } = secrets;
  const access = (role: string, accessKey: string, secretKey = '', user = role): SecretManifest =>
    secret(secretOf(role), {
      ARTIFACT_ACCESS_KEY: externalKeys?.accessKey ?? accessKey,
      ARTIFACT_SECRET_KEY: externalKeys?.secretKey ?? secretKey,
      NATS_USER: user,
      NATS_PASSWORD: bus[user] ?? '',
    } satisfies Partial<Record<keyof typeof environmentSchema, string>>);
  const minio = [
    secret('minio-root', {
      MINIO_ROOT_USER: ROOT_USER,
      MINIO_ROOT_PASSWORD: store[ROOT_USER] ?? '',
      NATS_PASSWORD: bus['minio'] ?? '',
    }),
    secret('minio-metrics', { token: metricsToken(store[METRICS_ROLE] ?? '') }),
    secret(secretOf('roles'), { 'secrets.json': JSON.stringify(secrets) }),
  ];
  return [
    ...(externalKeys ? [] : minio),
    secret('nats-users', { 'users.conf': busUsers(graph, bus), 'routes.conf': busRoutes(bus[ROUTES] ?? '') }),
    access('set-up', ROOT_USER, store[ROOT_USER], 'admin'),
    ...serviceNames(graph).map((name) => access(name, accessKeyOf(name), store[name])),
  ];
}

/** Returns the NATS accounts with the permissions that follow from the graph. */
function busUsers(graph: Graph, passwords: Readonly<Record<string, string>>): string {
  return `accounts: ${JSON.stringify(busAccounts(busPermissions(graph), passwords), null, 2)}\n`;
}

/** Returns the routes between the servers of a NATS cluster, which find each other by the names of the headless Service. */
function busRoutes(password: string): string {
  const names = Array.from({ length: serverCounts.bus }, (_, index) => `${hosts.bus}-${index}`);
  const routes = names.map((name) => `${name}.${addressOf(hosts.busNodes)}:${ports.routes}`);
  // Clients connect through the Service, not to addresses that servers advertise.
  const cluster = { ...clusterConfig({ port: ports.routes, routes, password }), no_advertise: true };
  return `cluster: ${JSON.stringify(cluster, null, 2)}\n`;
}

function secret(name: string, stringData: Record<string, string>): SecretManifest {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: NAMESPACE }, type: 'Opaque', stringData };
}
