import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { subjects } from '../../shared/bus/topology.ts';
import { healthy } from './nats.ts';
import { startProcess, type RunningProcess } from '../process/process.ts';

/**
 * Names of the two notification targets of MinIO. `fast` publishes immediately, `durable` through a queue on disk that survives an
 * outage of NATS.
 */
export const targets = { fast: 'FAVEFAST', durable: 'FAVEDURABLE' } as const;

/** ARNs of the targets in bucket rules. */
export const targetArns: readonly string[] = Object.values(targets).map((id) => `arn:minio:sqs::${id}:nats`);

/** Maximum number of queued notifications. MinIO drops further ones. */
const QUEUE_LIMIT = 1_000_000;

/** Connection of MinIO to NATS. A target takes one address; NATS reports the other servers of a cluster to it. */
export interface Notify {
  readonly address: string;
  /**
   * Address of another server of the cluster, so that the loss of one server does not disable both targets. Default: `address`.
   */
  readonly durableAddress?: string | undefined;
  readonly user: string;
  readonly password: string;
}

export interface MinioOptions {
  /** The `minio` program. */
  readonly program: string;
  readonly port: number;
  readonly console: number;
  /** Directory of the objects, the notification queue and `logs/`. */
  readonly dataDir: string;
  /** Directories of the objects, one per drive; four or more use erasure coding. Default: one directory in `dataDir`. */
  readonly drives?: readonly string[];
  readonly rootUser: string;
  readonly rootPassword: string;
  readonly notify: Notify;
  /** Additional environment variables of the server. */
  readonly settings?: Readonly<Record<string, string>>;
}

/**
 * Returns the environment variables of the notification targets, and settings that every MinIO server of FAVE needs.
 * @param queueDir Absolute path. If it is not writable, MinIO disables all notifications without an error; the canary detects
 * that.
 */
export function notifyEnvironment(notify: Notify, queueDir: string): Record<string, string> {
  const target = (id: string, subject: string, overrides: Record<string, string> = {}): [string, string][] =>
    Object.entries({
      ENABLE: 'on',
      ADDRESS: notify.address,
      SUBJECT: subject,
      USERNAME: notify.user,
      PASSWORD: notify.password,
      JETSTREAM: 'on',
      ...overrides,
    }).map(([key, value]) => [`MINIO_NOTIFY_NATS_${key}_${id}`, value]);
  return {
    ...Object.fromEntries(target(targets.fast, subjects.rawFast)),
    ...Object.fromEntries(
      target(targets.durable, subjects.rawDurable, {
        ADDRESS: notify.durableAddress ?? notify.address,
        QUEUE_DIR: queueDir,
        QUEUE_LIMIT: String(QUEUE_LIMIT),
      }),
    ),
    // Without this setting a restart of MinIO loses the notifications in memory, for the durable target as well.
    MINIO_API_SYNC_EVENTS: 'on',
    // MinIO does not support AbortIncompleteMultipartUpload. These are its defaults, which remove incomplete multipart uploads.
    MINIO_API_STALE_UPLOADS_EXPIRY: '24h',
    MINIO_API_STALE_UPLOADS_CLEANUP_INTERVAL: '6h',
  };
}

/** Starts MinIO and waits until it is healthy. @throws PermanentError `cannot-start`, `not-ready`. */
export async function startMinio({
  program,
  port,
  console,
  dataDir,
  drives = [join(dataDir, 'minio')],
  rootUser,
  rootPassword,
  notify,
  settings = {},
}: MinioOptions): Promise<RunningProcess> {
  const queue = join(dataDir, 'queue');
  await Promise.all([...drives, queue].map((path) => mkdir(path, { recursive: true })));
  const server = await startProcess({
    name: 'minio',
    command: program,
    args: ['server', ...drives, '--address', `127.0.0.1:${port}`, '--console-address', `127.0.0.1:${console}`],
    env: {
      HOME: dataDir,
      MINIO_ROOT_USER: rootUser,
      MINIO_ROOT_PASSWORD: rootPassword,
      MINIO_UPDATE: 'off',
      // MinIO overrides GOMEMLIMIT. Without a limit its heap keeps the memory of set-up, which hashes keys with argon2. A limit of
      // 256 MiB makes every PUT wait for the garbage collector: 20 ms instead of 7.
      MINIO_MEMLIMIT: '384MiB',
      // The default follows from the memory limit and would be 50 concurrent requests.
      MINIO_API_REQUESTS_MAX: '1024',
      ...notifyEnvironment(notify, queue),
      ...settings,
    },
    cwd: dataDir,
    log: join(dataDir, 'logs', 'minio.log'),
  });
  // This page includes the drives; `ready` responds before MinIO has checked any.
  return healthy(server, `http://127.0.0.1:${port}/minio/health/cluster`);
}
