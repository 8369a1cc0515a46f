/**
 * `npm run test:compose`: builds the images, runs the system of compose.yaml, analyses videos, and takes all of it down again.
 * Where no Docker daemon runs it starts one of its own; where it cannot, it says so and has no fault to report.
 */
import { ensureCompose } from '../../infra/compose/client.ts';
import { findDaemon } from '../../infra/compose/daemon.ts';
import { standIns } from '../../infra/compose/stand-ins.ts';
import { ensureServers } from '../../infra/servers/install.ts';
import { createReport } from './report.ts';
import { scenario } from './scenario.ts';
import { createSystem } from './system.ts';

const report = createReport();
const begun = performance.now();
const daemon = await findDaemon(report.say);
if ('missing' in daemon) {
  report.say(`test:compose was not run: ${daemon.missing}`);
  process.exit(0);
}
// Set last to first; what fails half-way and Ctrl-C leave nothing behind.
const cleanUps: (() => Promise<void>)[] = [() => daemon.stop()];
const cleanUp = async (): Promise<void> => {
  for (const undo of cleanUps.splice(0).reverse()) {
    await undo().catch((error: unknown) => {
      report.say(String(error));
      process.exitCode = 1;
    });
  }
};
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void cleanUp().then(() => process.exit(1)));

try {
  const programs = await report.step('mc and nats', () => ensureServers(report.say));
  const compose = await report.step('Compose', () => ensureCompose(report.say));
  const bases = await report.step('images to build from', () => standIns(daemon.env, report.say));
  const system = await createSystem(compose, { ...daemon.env, ...bases });
  cleanUps.push(() => report.step('taken down', () => system.down()));
  const played = scenario({ system, report, programs, defer: (undo) => void cleanUps.push(undo) });
  await played.catch(async (error: unknown) => {
    report.say(await system.compose(['logs', '--no-color', '--tail', '8'], { all: true }));
    throw error;
  });
} catch (error) {
  report.say(String(error instanceof Error ? error.stack : error));
  process.exitCode = 1;
}
await cleanUp();
report.say(`${process.exitCode ? 'FAILED' : 'passed'} in ${Math.round((performance.now() - begun) / 1000)} s`);
