import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PermanentError } from '../../shared/core/errors.ts';
import { ROOT_USER } from '../access/roles.ts';
import { LOCAL_SERVERS } from '../access/environment.ts';
import { isRunning } from '../process/identity.ts';
import { defaultDataDir, root } from '../process/paths.ts';
import { kill } from '../process/process.ts';
import { readInstance, type InstanceRecord } from './record.ts';
import { deleteSecrets, readSecrets } from '../access/secrets.ts';

export { readInstance, type InstanceRecord };

/** Milliseconds between two looks at what another process does. */
const POLL = 100;

/**
 * Starts an instance in the background and returns when it is ready; one that runs already is returned as it is.
 * @param args Of `npm start`: `--data DIR`, `--port-base N`.
 * @throws PermanentError `start-failed` with what the launcher said last.
 */
export async function startInstance(dataDir: string = defaultDataDir, args: readonly string[] = []): Promise<InstanceRecord> {
  const running = await readInstance(dataDir);
  if (running?.state === 'ready') return running;
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
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
  for (;;) {
    const record = await readInstance(dataDir);
    if (record?.state === 'ready') return record;
    if (end.signal.aborted) throw new PermanentError('start-failed', (await readFile(log, 'utf8')).trim());
    await sleep(POLL);
  }
}

/**
 * Stops an instance in order and waits until all of it is gone. @returns Whether one ran.
 * @param patience Milliseconds after which the launcher and what it started are killed.
 */
export async function stopInstance(dataDir: string = defaultDataDir, patience = 60_000): Promise<boolean> {
  const record = await readInstance(dataDir);
  if (!record) return false;
  const all = [record.launcher, ...record.processes];
  kill(record.launcher.pid, 'SIGTERM');
  for (let waited = 0; all.some(isRunning) && waited < patience; waited += POLL) await sleep(POLL);
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
 * What a person's shell needs to talk to an instance as its administrator: the pinned `mc` and `nats` first on PATH, and
 * where everything is. Holds secrets.
 */
export async function instanceEnvironment(
  record: InstanceRecord,
  path = process.env['PATH'] ?? '',
): Promise<Record<string, string>> {
  const secrets = await readSecrets(record.dataDir);
  const password = secrets?.store[ROOT_USER] ?? '';
  const endpoint = new URL(record.endpoint);
  return {
    PATH: [...new Set(record.path), path].join(delimiter),
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
