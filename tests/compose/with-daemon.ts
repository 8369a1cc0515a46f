import { runCleanups, type CleanUp } from '../../infra/process/clean-ups.ts';
import { ensureCompose } from '../support/docker/client.ts';
import { findDaemon } from '../support/docker/daemon.ts';
import { createLocalImages } from '../support/docker/local-images.ts';
import { createReport, type Report } from './report.ts';

export interface Ground {
  readonly report: Report;
  /** Path of Compose. */
  readonly compose: string;
  /** What leads to the daemon, and names the images to build from. */
  readonly env: Readonly<Record<string, string>>;
  /** Has something undone at the end, whatever the end is; what came last first. */
  readonly defer: (cleanUp: CleanUp) => void;
}

/**
 * Runs a test that needs Docker, and sets the exit code. Where no daemon runs it starts one of its own; where it cannot, it says so and
 * has no fault to report. With `--servers-from-source` MinIO and NATS are built in a container, even where this machine has them.
 */
export async function withDaemon(name: string, work: (ground: Ground) => Promise<void>): Promise<void> {
  const report = createReport();
  const begun = performance.now();
  const daemon = await findDaemon(report.say);
  if ('missing' in daemon) {
    report.say(`${name} was not run: ${daemon.missing}`);
    return;
  }
  // What fails half-way and Ctrl-C leave nothing behind.
  const cleanUps: CleanUp[] = [() => daemon.stop()];
  const cleanUp = (): Promise<void> =>
    runCleanups(cleanUps).catch((error: unknown) => {
      report.say(String(error));
      process.exitCode = 1;
    });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void cleanUp().then(() => process.exit(1)));
  try {
    const compose = await report.step('Compose', () => ensureCompose(report.say));
    const serversFromSource = process.argv.includes('--servers-from-source');
    const bases = await report.step('images to build from', () =>
      createLocalImages(daemon.env, report.say, { serversFromSource }),
    );
    await work({ report, compose, env: { ...daemon.env, ...bases }, defer: (cleanUp) => void cleanUps.push(cleanUp) });
  } catch (error) {
    report.say(String(error instanceof Error ? error.stack : error));
    process.exitCode = 1;
  }
  await cleanUp();
  report.say(`${process.exitCode ? 'FAILED' : 'passed'} in ${Math.round((performance.now() - begun) / 1000)} s`);
}
