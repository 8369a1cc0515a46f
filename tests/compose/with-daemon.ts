import { runCleanups, type CleanUp } from '../../infra/process/clean-ups.ts';
import { ensureCompose } from '../support/docker/client.ts';
import { findDaemon } from '../support/docker/daemon.ts';
import { createLocalImages } from '../support/docker/local-images.ts';
import { createReport, type Report } from './report.ts';

export interface DockerContext {
  readonly report: Report;
  /** Path of Compose. */
  readonly compose: string;
  /** Address of the daemon and names of the base images. */
  readonly env: Readonly<Record<string, string>>;
  /** Registers a clean-up that runs at the end in any case, the last one first. */
  readonly defer: (cleanUp: CleanUp) => void;
}

/**
 * Runs a test that needs Docker and sets the exit code. It starts a daemon if none is running. If that is impossible, the test
 * is skipped with a message. With `--servers-from-source` MinIO and NATS are built in a container even if the cache has them.
 */
export async function withDaemon(name: string, work: (context: DockerContext) => Promise<void>): Promise<void> {
  const report = createReport();
  const begun = performance.now();
  const daemon = await findDaemon(report.log);
  if ('missing' in daemon) {
    report.log(`${name} was not run: ${daemon.missing}`);
    return;
  }
  // A failure or Ctrl-C must not leave containers or processes.
  const cleanUps: CleanUp[] = [() => daemon.stop()];
  const cleanUp = (): Promise<void> =>
    runCleanups(cleanUps).catch((error: unknown) => {
      report.log(String(error));
      process.exitCode = 1;
    });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void cleanUp().then(() => process.exit(1)));
  try {
    const compose = await report.step('builds Compose', () => ensureCompose(report.log));
    const serversFromSource = process.argv.includes('--servers-from-source');
    const bases = await report.step('creates the base images', () =>
      createLocalImages(daemon.env, report.log, { serversFromSource }),
    );
    await work({ report, compose, env: { ...daemon.env, ...bases }, defer: (cleanUp) => void cleanUps.push(cleanUp) });
  } catch (error) {
    report.log(String(error instanceof Error ? error.stack : error));
    process.exitCode = 1;
  }
  await cleanUp();
  report.log(`${process.exitCode ? 'FAILED' : 'passed'} in ${Math.round((performance.now() - begun) / 1000)} s`);
  failIfActive(report);
}

/** Fails the run if something keeps the process alive after the test, for example a connection that was not closed. */
function failIfActive(report: Report): void {
  const check = (): void => {
    report.log(`FAILED: still active after the test: ${process.getActiveResourcesInfo().join(', ')}`);
    process.exit(1);
  };
  setTimeout(check, 10_000).unref();
}
