/**
 * `npm run test:compose`: builds the images, runs the system of compose.yaml, analyses videos, and takes all of it down again.
 */
import { ensureServers } from '../../infra/servers/install.ts';
import { scenario } from './scenario.ts';
import { createSystem } from './system.ts';
import { withDaemon } from './with-daemon.ts';

await withDaemon('test:compose', async ({ report, compose, env, defer }) => {
  const programs = await report.step('mc and nats', () => ensureServers(report.say));
  const system = await createSystem(compose, env);
  defer(() => report.step('taken down', () => system.down()));
  await scenario({ system, report, programs, defer }).catch(async (error: unknown) => {
    report.say(await system.compose(['logs', '--no-color', '--tail', '8'], { all: true }));
    throw error;
  });
});
