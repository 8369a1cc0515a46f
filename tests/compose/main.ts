/**
 * `npm run test:compose`: builds the images, runs the system of compose.yaml, analyses videos, and takes all of it down again.
 * With `--observe` the system is watched by `--profile observe`, and who watches is asked what happened.
 */
import { ensureServers } from '../../infra/servers/install.ts';
import { observed, observedBy } from './observe.ts';
import { scenario } from './scenario.ts';
import { createSystem } from './system.ts';
import { withDaemon } from './with-daemon.ts';

await withDaemon('test:compose', async ({ report, compose, env, defer }) => {
  const watched = process.argv.includes('--observe') ? await observedBy(env, report) : undefined;
  const programs = await report.step('mc and nats', () => ensureServers(report.say));
  const system = await createSystem(compose, { ...env, ...watched?.env });
  defer(() => report.step('taken down', () => system.down()));
  const stage = { system, report, programs, defer };
  await (watched ? observed(stage, watched.missing) : scenario(stage)).catch(async (error: unknown) => {
    report.say(await system.compose(['logs', '--no-color', '--tail', '8'], { all: true }));
    throw error;
  });
});
