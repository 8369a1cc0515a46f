import { PermanentError } from '../../shared/core/errors.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import { readConfig } from '../../shared/config/config.ts';
import { setUpInstance, withAdmin } from './admin.ts';
import { checkNotifications } from './notification-check.ts';
import { storePolicies } from '../access/policies.ts';
import { readSecrets } from '../access/secrets.ts';
import type { ProgressReporter } from '../process/progress.ts';

export interface SetUpJobOptions {
  readonly graph: Graph;
  /** Names the servers, with an administrator's credentials. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Directory of `secrets.json`; where there is none, the store's access keys are somebody else's. */
  readonly secretsDir: string;
  /** The `mc` program; on PATH. */
  readonly mc?: string;
  readonly progress: ProgressReporter;
}

/** Timeout for the canary object, in milliseconds. MinIO polls its queued target every three seconds. */
const CANARY_TIMEOUT_MS = 20_000;

/**
 * Sets up servers that run already, for containers and clusters, and proves that what lands in the bucket is announced.
 * It may run again at any time: what is as it should be is left alone.
 * @throws PermanentError `not-an-administrator`, `access-not-set`, `notifications-lost`, …
 */
export async function runSetUp({ graph, env, secretsDir, mc = 'mc', progress }: SetUpJobOptions): Promise<void> {
  const { store, bus, events } = readConfig(env);
  if (store.accessKey === '' || store.secretKey === '') {
    throw new PermanentError(
      'not-an-administrator',
      'set-up needs an administrator of the store: set ARTIFACT_ACCESS_KEY and ARTIFACT_SECRET_KEY, or …_FILE',
    );
  }
  const secrets = await readSecrets(secretsDir);
  if (!secrets) progress(`there is no secrets.json in ${secretsDir}: the store's access keys are left as they are`);
  const access = secrets && { policies: storePolicies(graph, store.bucket), secrets: secrets.store };
  await setUpInstance({ graph, env, progress }, { store, bus, access }, mc);
  if (events === 'notifications') {
    const heard = await withAdmin({ store, bus }, (...servers) =>
      checkNotifications({ store: servers[0], bus: servers[1], timeoutMs: CANARY_TIMEOUT_MS, relay: false }),
    );
    progress(`the store announces what lands: after ${heard.fast ?? 0} ms, and after ${heard.durable ?? 0} ms from its queue`);
  }
}
