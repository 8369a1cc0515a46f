import type { ISecret } from 'kubernetes-models/v1/Secret';
import { readConfig, type StoreConfig } from '../../shared/config/config.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import { localRoles, ROOT_USER } from '../access/roles.ts';
import { ROUTES } from '../servers/nats.ts';
import { accessKeyOf } from '../access/policies.ts';
import type { Secrets } from '../access/secrets.ts';
import { serviceNames } from '../deployment/services.ts';
import { BUS_ROUTES_FILE, BUS_USERS_FILE, busRoutes, busUsers } from './bus.ts';
import { BUS_USERS, NAMESPACE, secretOf, STORE_ROOT } from './names.ts';
import type { ServiceEnvironment } from './services.ts';
import { SET_UP } from './set-up.ts';
import { rootKeys } from './store.ts';

/** The roles of an installation, whose bus may be a cluster. */
export function rolesOf(graph: Graph): { bus: string[]; store: string[] } {
  const { bus, store } = localRoles(graph, readConfig({}).store.bucket);
  return { bus: [...bus, ROUTES], store };
}

/** Keys of a store that FAVE does not run. */
export type GivenKeys = Pick<StoreConfig, 'accessKey' | 'secretKey'>;

/**
 * Every Secret that the manifests refer to: they are made for an installation and never committed. Each service gets its own role's.
 * @param given Keys that all have instead, where the store is somebody else's and makes none for them.
 */
export function secretManifests(graph: Graph, secrets: Secrets, given?: GivenKeys): ISecret[] {
  const { bus, store } = secrets;
  const access = (role: string, accessKey: string, secretKey = '', user = role): ISecret =>
    secret(secretOf(role), {
      ARTIFACT_ACCESS_KEY: given?.accessKey ?? accessKey,
      ARTIFACT_SECRET_KEY: given?.secretKey ?? secretKey,
      NATS_USER: user,
      NATS_PASSWORD: bus[user] ?? '',
    } satisfies ServiceEnvironment);
  const ofOwnStore = [
    secret(STORE_ROOT, {
      [rootKeys.user]: ROOT_USER,
      [rootKeys.password]: store[ROOT_USER] ?? '',
      [rootKeys.bus]: bus['minio'] ?? '',
    }),
    secret(secretOf('roles'), { 'secrets.json': JSON.stringify(secrets) }),
  ];
  return [
    ...(given ? [] : ofOwnStore),
    secret(BUS_USERS, { [BUS_USERS_FILE]: busUsers(graph, bus), [BUS_ROUTES_FILE]: busRoutes(bus[ROUTES] ?? '') }),
    access(SET_UP, ROOT_USER, store[ROOT_USER], 'admin'),
    ...serviceNames(graph).map((name) => access(name, accessKeyOf(name), store[name])),
  ];
}

function secret(name: string, stringData: Record<string, string>): ISecret {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: NAMESPACE }, type: 'Opaque', stringData };
}
