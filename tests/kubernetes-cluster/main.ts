/**
 * `npm run test:k8s`: builds a Kubernetes with KEDA from source, runs the overlays on it, and takes all of it down again.
 * As root on Linux; where that is not so it says it and has no fault to report. Arguments name the scenarios to run; all, else.
 */
import { join } from 'node:path';
import { messageOf } from '../../shared/core/errors.ts';
import { ensureServers } from '../../infra/servers/install.ts';
import { whyNoCluster, withCluster } from './cluster/with-cluster.ts';

const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function main(): Promise<void> {
  const { mc } = await ensureServers(say);
  await withCluster([join(import.meta.dirname, 'run-scenarios.ts'), mc, ...process.argv.slice(2)], say);
}

const reason = whyNoCluster();
if (reason !== undefined) say(`test:k8s was not run: ${reason}`);
else
  await main().catch((error: unknown) => {
    say(messageOf(error));
    process.exitCode = 1;
  });
