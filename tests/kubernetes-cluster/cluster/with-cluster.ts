import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PermanentError } from '../../../shared/core/errors.ts';
import { run } from '../../../infra/compose/run.ts';
import type { ProgressReporter } from '../../../infra/process/progress.ts';
import { ensurePackages } from '../../../infra/servers/packages.ts';
import { imageArchives } from './image-archives.ts';

const here = join(import.meta.dirname, '..', 'scripts');

/** Debian's packages that a cluster is built and run with. */
const PACKAGES = {
  containerd: 'containerd',
  runc: 'runc',
  iproute2: 'ip',
  iptables: 'iptables',
  openssl: 'openssl',
  curl: 'curl',
};

/** Why a cluster of its own cannot be had on this machine; undefined where it can. */
export function whyNoCluster(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'a cluster of its own needs Linux and root';
  const hasGo = (process.env['PATH'] ?? '').split(':').some((dir) => existsSync(join(dir, 'go')));
  return hasGo ? undefined : 'Go is not installed (https://go.dev/dl)';
}

/**
 * Runs a command of Node's on a Kubernetes with KEDA, inside its network; the cluster is built, started for it and taken down after it.
 * @throws PermanentError `no-cluster`, `no-images`, `command-failed`.
 */
export async function withCluster(
  command: readonly string[],
  progress: ProgressReporter,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const reason = whyNoCluster();
  if (reason !== undefined) throw new PermanentError('no-cluster', reason);
  await ensurePackages(progress, PACKAGES);
  const script = (name: string, ...args: string[]): Promise<string> => run(join(here, name), args, { show: true, env });
  const inside = (...given: string[]): Promise<string> => script('in-namespace.sh', ...given);
  await script('build.sh');
  const archives = await imageArchives(progress);
  try {
    await inside(join(here, 'up.sh'));
    await inside(join(here, 'import.sh'), ...archives);
    await inside(join(here, 'keda.sh'));
    await inside(process.execPath, ...command);
  } finally {
    await script('down.sh');
  }
}
