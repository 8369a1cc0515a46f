import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PermanentError } from '../../shared/core/errors.ts';
import { LOCAL_SERVERS } from '../access/environment.ts';
import { closeDataDir } from '../process/data-dir.ts';
import { isRunning } from '../process/identity.ts';
import { defaultDataDir, root } from '../process/paths.ts';
import type { ProgressReporter } from '../process/progress.ts';
import { kill } from '../process/process.ts';
import { programsDir, readInstance, type InstanceRecord } from './record.ts';
import { deleteSecrets, readSecrets, ROOT_USER } from '../access/secrets.ts';

export { readInstance, type InstanceRecord };

/** Interval between two checks of another process (ms). */
const POLL_INTERVAL_MS = 100;

/**
 * Starts an instance in the background and returns when it is ready. An instance that is ready already is returned unchanged.
 * @param args Arguments of `npm start`: `--data DIR`, `--port-base N`.
 * @param progress Receives the launcher's steps.
 * @throws PermanentError `foreign-data-directory`; `start-failed` with the launcher's log.
 */
export async function startInstance(
  dataDir: string = defaultDataDir,
  args: readonly string[] = [],
  progress: ProgressReporter = () => undefined,
): Promise<InstanceRecord> {
  const running = await readInstance(dataDir);
  if (running?.state === 'ready') return running;
  await closeDataDir(dataDir);
  const log = join(dataDir, 'launcher.log');
  const file = openSync(log, 'w', 0o600);
  const command = [join(root, 'dist', 'infra.mjs'), 'start', '--data', dataDir, ...args];
  const child = spawn(process.execPath, command, { cwd: root, detached: true, stdio: ['ignore', file, file] });
  closeSync(file);
  const end = new AbortController();
  for (const event of ['exit', 'error']) {
    child.once(event, () => {
      end.abort();
    });
  }
  child.unref();
  for (let reported = 0; ;) {
    const record = await readInstance(dataDir);
    // The welcome that follows the steps starts with an empty line; the caller has its own.
    const [steps = ''] = (await readFile(log, 'utf8')).split('\n\n');
    const lines = steps.split('\n').slice(0, record?.state === 'ready' ? undefined : -1);
    for (const line of lines.slice(reported)) progress(line);
    reported = lines.length;
    if (record?.state === 'ready') return record;
    if (end.signal.aborted) throw new PermanentError('start-failed', (await readFile(log, 'utf8')).trim());
    await sleep(POLL_INTERVAL_MS);
  }
}

/**
 * Stops an instance in order and waits until its processes have exited. @returns Whether an instance was running.
 * @param timeoutMs Time after which the remaining processes are killed, in milliseconds.
 */
export async function stopInstance(dataDir: string = defaultDataDir, timeoutMs = 60_000): Promise<boolean> {
  const record = await readInstance(dataDir);
  if (!record) return false;
  const all = [record.launcher, ...record.processes];
  kill(record.launcher.pid, 'SIGTERM');
  for (let waited = 0; all.some(isRunning) && waited < timeoutMs; waited += POLL_INTERVAL_MS) await sleep(POLL_INTERVAL_MS);
  for (const { pid } of all.filter(isRunning)) kill(pid, 'SIGKILL');
  return true;
}

/**
 * Deletes the secrets of an instance; its next start generates new ones.
 * @throws PermanentError `already-running`: running services would keep the old secrets and could not restart.
 */
export async function rotateSecrets(dataDir: string): Promise<void> {
  if (await readInstance(dataDir))
    throw new PermanentError(
      'already-running',
      `an instance is running in ${dataDir}: stop it with ./fave down, then rotate its secrets`,
    );
  await deleteSecrets(dataDir);
}

/**
 * Returns the shell environment of an administrator of an instance: the pinned `mc` and `nats` first on PATH, the data directory, addresses
 * and credentials. It contains secrets.
 */
export async function instanceEnvironment(
  record: InstanceRecord,
  path = process.env['PATH'] ?? '',
): Promise<Record<string, string>> {
  const secrets = await readSecrets(record.dataDir);
  const password = secrets?.store[ROOT_USER] ?? '';
  const endpoint = new URL(record.endpoint);
  return {
    PATH: [programsDir(record.dataDir), path].join(delimiter),
    FAVE_DATA_DIR: record.dataDir,
    ARTIFACT_BUCKET: record.bucket,
    ARTIFACT_ENDPOINT: record.endpoint,
    NATS_URL: record.natsUrl,
    [LOCAL_SERVERS]: [...(record.own.store ? [record.endpoint] : []), ...(record.own.bus ? [record.natsUrl] : [])].join(' '),
    ...(record.own.store && {
      MC_HOST_fave: `${endpoint.protocol}//${ROOT_USER}:${password}@${endpoint.host}`,
      ARTIFACT_ACCESS_KEY: ROOT_USER,
      ARTIFACT_SECRET_KEY: password,
    }),
    ...(record.own.bus && { NATS_USER: 'admin', NATS_PASSWORD: secrets?.bus['admin'] ?? '' }),
  };
}
