import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { subjects } from '../shared/topology.ts';
import { healthy } from './nats.ts';
import { startProcess, type RunningProcess } from './process.ts';

/** Names of MinIO's two notification targets: one at once, one that survives an outage of NATS. */
export const targets = { fast: 'FAVEFAST', durable: 'FAVEDURABLE' } as const;

/** ARNs that bucket rules name the targets by. */
export const targetArns: readonly string[] = Object.values(targets).map((id) => `arn:minio:sqs::${id}:nats`);

/** Events that wait for NATS at most. Beyond it MinIO drops events. */
const QUEUE_LIMIT = 1_000_000;

export interface MinioOptions {
  /** The `minio` program. */
  readonly program: string;
  readonly port: number;
  readonly console: number;
  /** Directory of the objects, the queue and `logs/`. */
  readonly dataDir: string;
  readonly rootUser: string;
  readonly rootPassword: string;
  readonly notify: { readonly address: string; readonly user: string; readonly password: string };
}

/**
 * MinIO's notification targets as environment, for a server of any kind (process, container).
 * @param queueDir Absolute; a directory that cannot be written disables all notifications, which only the canary shows.
 */
export function notifyEnvironment(notify: MinioOptions['notify'], queueDir: string): Record<string, string> {
  const target = (id: string, subject: string, more: Record<string, string> = {}): [string, string][] =>
    Object.entries({
      ENABLE: 'on',
      ADDRESS: notify.address,
      SUBJECT: subject,
      USERNAME: notify.user,
      PASSWORD: notify.password,
      JETSTREAM: 'on',
      ...more,
    }).map(([key, value]) => [`MINIO_NOTIFY_NATS_${key}_${id}`, value]);
  return {
    ...Object.fromEntries(target(targets.fast, subjects.rawFast)),
    ...Object.fromEntries(
      target(targets.durable, subjects.rawDurable, { QUEUE_DIR: queueDir, QUEUE_LIMIT: String(QUEUE_LIMIT) }),
    ),
    // Without it a restart of MinIO loses the events in its memory, queued target or not.
    MINIO_API_SYNC_EVENTS: 'on',
  };
}

/** Starts MinIO and waits until it answers. @throws PermanentError `cannot-start`, `not-ready`. */
export async function startMinio({
  program,
  port,
  console,
  dataDir,
  rootUser,
  rootPassword,
  notify,
}: MinioOptions): Promise<RunningProcess> {
  const data = join(dataDir, 'minio');
  const queue = join(dataDir, 'queue');
  await Promise.all([mkdir(data, { recursive: true }), mkdir(queue, { recursive: true })]);
  const server = await startProcess({
    name: 'minio',
    command: program,
    args: ['server', data, '--address', `127.0.0.1:${port}`, '--console-address', `127.0.0.1:${console}`],
    env: {
      HOME: dataDir,
      MINIO_ROOT_USER: rootUser,
      MINIO_ROOT_PASSWORD: rootPassword,
      MINIO_UPDATE: 'off',
      ...notifyEnvironment(notify, queue),
    },
    cwd: dataDir,
    log: join(dataDir, 'logs', 'minio.log'),
  });
  return healthy(server, `http://127.0.0.1:${port}/minio/health/ready`);
}
