import type { BusConfig, StoreConfig } from '../../shared/config/config.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Variable in which `fave env` lists the URLs of an instance's local servers. An instance that is started in that shell
 * starts its own servers instead of connecting to those.
 */
export const LOCAL_SERVERS = 'FAVE_LOCAL_SERVERS';

/** Returns whether the environment names an external store and an external bus. */
export function findExternalServers(env: Environment): { store: boolean; bus: boolean } {
  const local = (env[LOCAL_SERVERS] ?? '').split(' ');
  const isExternal = (url: string | undefined): boolean => Boolean(url) && !local.includes(url ?? '');
  return { store: isExternal(env['ARTIFACT_ENDPOINT']), bus: isExternal(env['NATS_URL']) };
}

/** Converts connection settings to the environment variables that `readConfig` reads. */
export function toEnvironment(store: StoreConfig, bus: BusConfig): Record<string, string> {
  return {
    ARTIFACT_ENDPOINT: store.endpoint,
    ARTIFACT_REGION: store.region,
    ARTIFACT_BUCKET: store.bucket,
    ARTIFACT_ACCESS_KEY: store.accessKey,
    ARTIFACT_SECRET_KEY: store.secretKey,
    ...(!store.pathStyle && { ARTIFACT_PATH_STYLE: 'false' }),
    ...(store.ca !== undefined && { ARTIFACT_CA: store.ca }),
    NATS_URL: bus.servers.join(','),
    ...(bus.user !== '' && { NATS_USER: bus.user, NATS_PASSWORD: bus.password }),
    ...(bus.ca !== undefined && { NATS_CA: bus.ca }),
  };
}
