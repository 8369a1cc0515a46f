import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PermanentError } from '../../../shared/core/errors.ts';
import { run } from '../../support/docker/run.ts';
import type { ProgressReporter } from '../../../infra/process/progress.ts';
import { ensurePackages } from '../../../infra/servers/packages.ts';
import { buildImageArchives } from './image-archives.ts';

const here = join(import.meta.dirname, '..', 'scripts');

/** Debian packages that the cluster needs, with a program of each. */
const PACKAGES = {
  containerd: 'containerd',
  runc: 'runc',
  iproute2: 'ip',
  iptables: 'iptables',
  openssl: 'openssl',
  curl: 'curl',
};

/** Returns why this machine cannot run the cluster, or undefined if it can. */
export function findClusterObstacle(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'the test cluster needs Linux and root';
  const hasGo = (process.env['PATH'] ?? '').split(':').some((dir) => existsSync(join(dir, 'go')));
  return hasGo ? undefined : 'Go is not installed (https://go.dev/dl)';
}

/**
 * Builds and starts the cluster, runs a Node.js command inside its network, and removes the cluster.
 * @throws PermanentError `no-cluster`, `no-images`, `command-failed`.
 */
export async function withCluster(
  command: readonly string[],
  progress: ProgressReporter,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const reason = findClusterObstacle();
  if (reason !== undefined) throw new PermanentError('no-cluster', reason);
  await ensurePackages(progress, PACKAGES);
  const script = (name: string, ...args: string[]): Promise<string> => run(join(here, name), args, { show: true, env });
  const inside = (...args: string[]): Promise<string> => script('in-namespace.sh', ...args);
  await script('build.sh');
  const archives = await buildImageArchives(progress);
  try {
    await inside(join(here, 'up.sh'));
    await inside(join(here, 'import.sh'), ...archives);
    await inside(join(here, 'keda.sh'));
    await inside(process.execPath, ...command);
  } finally {
    await script('down.sh');
  }
}
