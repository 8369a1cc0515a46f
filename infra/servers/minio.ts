import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { subjects } from '../../shared/bus/topology.ts';
import { healthy } from './nats.ts';
import { startProcess, type RunningProcess } from '../process/process.ts';

/** Names of MinIO's two notification targets: one at once, one that survives an outage of NATS. */
export const targets = { fast: 'FAVEFAST', durable: 'FAVEDURABLE' } as const;

/** ARNs that bucket rules name the targets by. */
export const targetArns: readonly string[] = Object.values(targets).map((id) => `arn:minio:sqs::${id}:nats`);

/** Events that wait for NATS at most. Beyond it MinIO drops events. */
const QUEUE_LIMIT = 1_000_000;

/** Where MinIO publishes. A target takes one address and learns the other servers of a cluster from whoever answers there. */
export interface Notify {
  readonly address: string;
  /** Another server of the cluster, so that no one server's absence keeps both targets from starting. Default: `address`. */
  readonly durableAddress?: string | undefined;
  readonly user: string;
  readonly password: string;
}

export interface MinioOptions {
  /** The `minio` program. */
  readonly program: string;
  readonly port: number;
  readonly console: number;
  /** Directory of the objects, the queue and `logs/`. */
  readonly dataDir: string;
  /** Directories of the objects, each on a drive of its own; four or more are erasure coded. Default: one below `dataDir`. */
  readonly drives?: readonly string[];
  readonly rootUser: string;
  readonly rootPassword: string;
  readonly notify: Notify;
  /** Further settings of the server. */
  readonly settings?: Readonly<Record<string, string>>;
}

/**
 * MinIO's notification targets, and what else it must be told, as environment for a server of any kind (process, container).
 * @param queueDir Absolute; a directory that cannot be written disables all notifications, which only the canary shows.
 */
export function notifyEnvironment(notify: Notify, queueDir: string): Record<string, string> {
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
      target(targets.durable, subjects.rawDurable, {
        ADDRESS: notify.durableAddress ?? notify.address,
        QUEUE_DIR: queueDir,
        QUEUE_LIMIT: String(QUEUE_LIMIT),
      }),
    ),
    // Without it a restart of MinIO loses the events in its memory, queued target or not.
    MINIO_API_SYNC_EVENTS: 'on',
    // MinIO's lifecycle knows no AbortIncompleteMultipartUpload: these remove uploads in parts that nobody finished. Its defaults, said aloud.
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
      // The metrics hold no names of objects, and only this machine can read them.
      MINIO_PROMETHEUS_AUTH_TYPE: 'public',
      // MinIO overrides GOMEMLIMIT. Without a limit its heap keeps the memory of set-up, which hashes keys with argon2.
      MINIO_MEMLIMIT: '256MiB',
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
