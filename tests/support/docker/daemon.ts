import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheDir, imagesDir } from '../../../infra/process/paths.ts';
import { messageOf } from '../../../shared/core/errors.ts';
import { startProcess, waitUntilReady } from '../../../infra/process/process.ts';
import type { ProgressReporter } from '../../../infra/process/progress.ts';
import { ensurePackages } from '../../../infra/servers/packages.ts';
import { snapshotNetwork } from './host-network.ts';
import { run, succeeds } from './run.ts';

export interface Daemon {
  /** Environment with which clients reach the daemon. */
  readonly env: Readonly<Record<string, string>>;
  /** Stops the daemon if it was started here, and removes everything except its image cache. */
  stop(): Promise<void>;
}

/** Timeout for the start and the stop of the daemon, in milliseconds. */
const DAEMON_TIMEOUT_MS = 60_000;

/** Size limit of the build cache that is kept for the next run. */
const KEPT_CACHE = '10GB';

/** Packages for a daemon, and for a Debian image without a registry. */
const PACKAGES = { 'docker.io': 'dockerd', debootstrap: 'debootstrap', iptables: 'iptables', iproute2: 'ip' };

/**
 * Finds the daemon of the Docker client, or starts one and installs it if necessary. @returns The daemon, or the reason why
 * there is none.
 */
export async function findDaemon(progress: ProgressReporter): Promise<Daemon | { readonly missing: string }> {
  if (await succeeds('docker', ['info'])) return { env: {}, stop: () => Promise.resolve() };
  if (process.getuid?.() !== 0) return { missing: 'no Docker daemon is running, and only root can start one' };
  try {
    await ensurePackages(progress, PACKAGES);
    progress('starting a Docker daemon for this run …');
    return await startDaemon();
  } catch (error) {
    // For example, mounts are not permitted. That is a property of the machine, not a failure of the test.
    return { missing: `no Docker daemon is running, and none could be started: ${messageOf(error)}` };
  }
}

/** Starts a daemon with a separate socket and state. Its images are cached, so that a second run builds little. */
async function startDaemon(): Promise<Daemon> {
  // One state directory per cache: two daemons must not share images.
  const state = join(tmpdir(), `fave-docker-${createHash('sha256').update(cacheDir).digest('hex').slice(0, 8)}`);
  const socket = `unix://${state}/docker.sock`;
  const paths = {
    'data-root': join(imagesDir, 'docker'),
    'exec-root': join(state, 'exec'),
    pidfile: join(state, 'docker.pid'),
    host: socket,
  };
  const env = { DOCKER_HOST: socket };
  const restoreNetwork = await snapshotNetwork();
  const daemon = await startProcess({
    name: 'dockerd',
    command: 'dockerd',
    args: Object.entries(paths).flatMap(([name, value]) => [`--${name}`, value]),
    env: { PATH: process.env['PATH'] ?? '' },
    cwd: '/',
    log: join(state, 'dockerd.log'),
  });
  const stop = async (): Promise<void> => {
    // Docker does not limit its build cache.
    await succeeds('docker', ['builder', 'prune', '--force', '--keep-storage', KEPT_CACHE], { env });
    await daemon.stop(DAEMON_TIMEOUT_MS);
    await restoreNetwork();
    await unmountBelow([state, paths['data-root']]);
    await rm(state, { recursive: true, force: true });
  };
  await waitUntilReady(daemon, DAEMON_TIMEOUT_MS, async () =>
    (await succeeds('docker', ['info'], { env })) ? true : undefined,
  ).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { env, stop };
}

/** Unmounts remaining mounts below paths, which could not be removed otherwise. */
async function unmountBelow(paths: readonly string[]): Promise<void> {
  const mounts = (await readFile('/proc/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '');
  for (const mount of mounts.reverse().filter((each) => paths.some((path) => each.startsWith(`${path}/`)))) {
    await run('umount', [mount]);
  }
}
