import { messageOf, PermanentError } from '../../shared/core/errors.ts';
import { parseDirectories } from '../../shared/models/find-model.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import { readConfig } from '../../shared/config/config.ts';
import { setUpInstance, withAdmin } from './admin.ts';
import { checkNotifications } from './notification-check.ts';
import { storePolicies } from '../access/policies.ts';
import { readSecrets } from '../access/secrets.ts';
import type { ProgressReporter } from '../process/progress.ts';
import { provideWhisperModel } from '../servers/models.ts';

export interface SetUpJobOptions {
  readonly graph: Graph;
  /** Addresses of the servers and the credentials of an administrator. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Directory of `secrets.json`. Without that file, the access keys of the store are not changed. */
  readonly secretsDir: string;
  /** Path of the `mc` program. Default: found on PATH. */
  readonly mc?: string;
  readonly progress: ProgressReporter;
}

/** Downloads the Whisper model to the first directory of `FAVE_MODELS`, unless one of them contains a model. */
async function provideModel(env: SetUpJobOptions['env'], progress: ProgressReporter): Promise<void> {
  const [directory] = parseDirectories(env['FAVE_MODELS']);
  if (directory === undefined) return;
  await provideWhisperModel({ env, progress, directory }).catch((error: unknown) => {
    progress(`no Whisper model in ${directory}, so pocketsphinx transcribes with many errors: ${messageOf(error)}`);
  });
}

/** Timeout for the canary object, in milliseconds. MinIO polls its queued target every three seconds. */
const CANARY_TIMEOUT_MS = 20_000;

/**
 * Sets up running servers of containers and clusters, and checks that uploads are announced. It is idempotent.
 * @throws PermanentError `not-an-administrator`, `access-not-set`, `notifications-lost`, …
 */
export async function runSetUp({ graph, env, secretsDir, mc = 'mc', progress }: SetUpJobOptions): Promise<void> {
  await provideModel(env, progress);
  const { store, bus, eventSource } = readConfig(env);
  if (store.accessKey === '' || store.secretKey === '') {
    throw new PermanentError(
      'not-an-administrator',
      'set-up needs an administrator of the store: set ARTIFACT_ACCESS_KEY and ARTIFACT_SECRET_KEY, or …_FILE',
    );
  }
  const secrets = await readSecrets(secretsDir);
  if (!secrets) progress(`no secrets.json in ${secretsDir}: the access keys of the store are not changed`);
  const access = secrets && { policies: storePolicies(graph, store.bucket), secrets: secrets.store };
  await setUpInstance({ graph, env, progress }, { store, bus, access }, mc);
  if (eventSource === 'notifications') {
    const received = await withAdmin({ store, bus }, (...servers) =>
      checkNotifications({ store: servers[0], bus: servers[1], timeoutMs: CANARY_TIMEOUT_MS, relay: false }),
    );
    progress(
      `the store announces uploads after ${received.fast ?? 0} ms, and through its queue after ${received.durable ?? 0} ms`,
    );
  }
}
