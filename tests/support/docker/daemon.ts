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
  /** What leads Docker's clients to it. */
  readonly env: Readonly<Record<string, string>>;
  /** Ends it, if it was started here, and waits until nothing of it is left but its cache of images. */
  stop(): Promise<void>;
}

/** Milliseconds that the daemon may take to start and to stop. */
const PATIENCE = 60_000;

/** How much of what was built stays in the cache for the next run. */
const KEPT = '10GB';

/** What a daemon of one's own needs, and what an image of Debian is made with where no registry answers. */
const PACKAGES = { 'docker.io': 'dockerd', debootstrap: 'debootstrap', iptables: 'iptables', iproute2: 'ip' };

/** The daemon that Docker's client finds, else one of its own, installed if need be; why there can be none, else. */
export async function findDaemon(progress: ProgressReporter): Promise<Daemon | { readonly missing: string }> {
  if (await succeeds('docker', ['info'])) return { env: {}, stop: () => Promise.resolve() };
  if (process.getuid?.() !== 0) return { missing: 'no Docker daemon answers, and starting one needs root' };
  try {
    await ensurePackages(progress, PACKAGES);
    progress('no Docker daemon answers: starting one, which ends with this …');
    return await startDaemon();
  } catch (error) {
    // No right to mount, say: that is the machine's, and no fault of what is tested.
    return { missing: `no Docker daemon answers, and none could be started: ${messageOf(error)}` };
  }
}

/** Starts a daemon whose socket and state are its own. Its images lie in the cache, so that a second run builds little. */
async function startDaemon(): Promise<Daemon> {
  // By the user's cache: two daemons must not share images.
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
    // Docker itself forgets nothing of what it built.
    await succeeds('docker', ['builder', 'prune', '--force', '--keep-storage', KEPT], { env });
    await daemon.stop(PATIENCE);
    await restoreNetwork();
    await unmountBelow([state, paths['data-root']]);
    await rm(state, { recursive: true, force: true });
  };
  await waitUntilReady(daemon, PATIENCE, async () => ((await succeeds('docker', ['info'], { env })) ? true : undefined)).catch(
    async (error: unknown) => {
      await stop();
      throw error;
    },
  );
  return { env, stop };
}

/** What a daemon leaves mounted would keep its folder from being removed. */
async function unmountBelow(paths: readonly string[]): Promise<void> {
  const mounts = (await readFile('/proc/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '');
  for (const mount of mounts.reverse().filter((each) => paths.some((path) => each.startsWith(`${path}/`)))) {
    await run('umount', [mount]);
  }
}
