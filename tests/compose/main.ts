/**
 * `npm run test:compose`: builds the images, runs the system of compose.yaml, processes videos and removes everything. With
 * `--observe` it also runs `--profile observe` and queries its servers.
 */
import { ensureServers } from '../../infra/servers/install.ts';
import { observed, observedBy } from './observe.ts';
import { scenario } from './scenario.ts';
import { createSystem } from './system.ts';
import { withDaemon } from './with-daemon.ts';

await withDaemon('test:compose', async ({ report, compose, env, defer }) => {
  const watched = process.argv.includes('--observe') ? await observedBy(env, report) : undefined;
  const programs = await report.step('builds mc and nats', () => ensureServers(report.log));
  const system = await createSystem(compose, { ...env, ...watched?.env });
  defer(() => report.step('removes the system', () => system.down()));
  const stage = { system, report, programs, defer };
  await (watched ? observed(stage, watched.missing) : scenario(stage)).catch(async (error: unknown) => {
    report.log(await system.compose(['logs', '--no-color', '--tail', '8'], { all: true }));
    throw error;
  });
});
