/**
 * `npm run test:k8s [-- SCENARIO …]`: builds Kubernetes and KEDA from source, runs scenarios on the overlays (default: all), and removes
 * the cluster. Needs Linux and root; elsewhere it reports why it did nothing and succeeds.
 */
import { join } from 'node:path';
import { messageOf } from '../../shared/core/errors.ts';
import { ensureServers } from '../../infra/servers/install.ts';
import { findClusterObstacle, withCluster } from './cluster/with-cluster.ts';

const report = (line: string): void => void process.stderr.write(`${line}\n`);

async function main(): Promise<void> {
  const { mc } = await ensureServers(report);
  await withCluster([join(import.meta.dirname, 'run-scenarios.ts'), mc, ...process.argv.slice(2)], report);
}

const reason = findClusterObstacle();
if (reason !== undefined) report(`test:k8s was not run: ${reason}`);
else
  await main().catch((error: unknown) => {
    report(messageOf(error));
    process.exitCode = 1;
  });
