/**
 * `npm run test:k8s`: builds a Kubernetes with KEDA from source, runs the overlays on it, and takes all of it down again.
 * As root on Linux; where that is not so it says it and has no fault to report. Arguments name the scenarios to run; all, else.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../shared/errors.ts';
import { run } from '../compose/run.ts';
import { root } from '../paths.ts';
import { ensureServers } from '../servers/install.ts';
import { imageArchives } from './images.ts';

const here = join(root, 'infra', 'kubernetes-test');
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const script = (name: string, ...args: string[]): Promise<string> => run(join(here, name), args, { show: true });
const inside = (...command: string[]): Promise<string> => script('in-namespace.sh', ...command);

async function main(): Promise<void> {
  await script('build.sh');
  const { mc } = await ensureServers(say);
  const archives = await imageArchives(say);
  try {
    await inside(join(here, 'up.sh'));
    await inside(join(here, 'import.sh'), ...archives);
    await inside(join(here, 'keda.sh'));
    await inside(
      process.execPath,
      join(root, 'node_modules/tsx/dist/cli.mjs'),
      join(here, 'scenarios.ts'),
      mc,
      ...process.argv.slice(2),
    );
  } finally {
    await script('down.sh');
  }
}

const missing = ['containerd', 'runc', 'go'].find(
  (name) => !(process.env['PATH'] ?? '').split(':').some((dir) => existsSync(join(dir, name))),
);
if (process.platform !== 'linux' || process.getuid?.() !== 0)
  say('test:k8s was not run: a cluster of its own needs Linux and root');
else if (missing !== undefined) say(`test:k8s was not run: ${missing} is not installed`);
else
  await main().catch((error: unknown) => {
    say(messageOf(error));
    process.exitCode = 1;
  });
