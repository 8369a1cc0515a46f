import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, PermanentError } from '../../shared/core/errors.ts';
import { root } from '../process/paths.ts';
import { startProcess, waitUntilReady, type RunningProcess } from '../process/process.ts';
import { readInstance, type InstanceRecord } from '../instance/record.ts';
import type { ProgressReporter } from '../process/progress.ts';
import { ensurePackages } from '../servers/packages.ts';
import { serveNatsMetrics } from './nats-exporter.ts';
import { targetsOf } from './targets.ts';

/** Milliseconds between two looks at where the instance's processes are. */
const LOOK = 1_000;

/** Milliseconds that Prometheus has to start and to stop. */
const GRACE = 30_000;

export interface ObserveOptions {
  /** Of the instance that runs. Absolute. */
  readonly dataDir: string;
  /** Of Prometheus. */
  readonly port: number;
  readonly progress: ProgressReporter;
  /** Seconds between two scrapes, and between two looks at the alerts. */
  readonly interval?: number;
}

/**
 * Runs a Prometheus beside an instance, with the rules of `alerts.yml`, and keeps telling it where the instance's processes are.
 * @throws PermanentError `not-running`, `packages-missing`, `not-ready`.
 */
export async function runPrometheus({
  dataDir,
  port,
  progress,
  interval = 15,
}: ObserveOptions): Promise<{ url: string; stop: () => Promise<void> }> {
  const record = await readInstance(dataDir);
  if (!record) throw new PermanentError('not-running', `no instance runs in ${dataDir}: npm start starts one`);
  await ensurePackages(progress, { prometheus: 'prometheus' });
  const exporter = await serveNatsMetrics({ from: `http://127.0.0.1:${record.ports.monitor}` });
  const dir = join(dataDir, 'observe');
  let timer: NodeJS.Timeout | undefined;
  let server: RunningProcess | undefined;
  const stop = async (): Promise<void> => {
    clearInterval(timer);
    await server?.stop(GRACE);
    exporter.close();
  };
  try {
    await configure(dir, interval);
    await tell(dir, record, exporter.port);
    // Processes come and go; an instance that is gone is told as it was last seen, so that its silence is an alert.
    const look = async (): Promise<void> => {
      const now = await readInstance(dataDir);
      if (now) await tell(dir, now, exporter.port);
    };
    let looking = Promise.resolve();
    timer = setInterval(() => {
      // One after the other: two at once would take the new file away from each other.
      looking = looking.then(look).catch((error: unknown) => {
        progress(`Prometheus could not be told where the processes are: ${messageOf(error)}`);
      });
    }, LOOK);
    server = await startProcess({
      name: 'prometheus',
      command: 'prometheus',
      args: [
        `--config.file=${join(dir, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(dir, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      env: { PATH: process.env['PATH'] ?? '' },
      cwd: dir,
      log: join(dataDir, 'logs', 'prometheus.log'),
    });
    const url = `http://127.0.0.1:${port}`;
    await waitUntilReady(server, GRACE, async () => ((await fetch(`${url}/-/ready`)).ok ? true : undefined));
    return { url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function configure(dir: string, interval: number): Promise<void> {
  await mkdir(join(dir, 'targets'), { recursive: true });
  const source = join(root, 'infra', 'observe');
  const config = await readFile(join(source, 'prometheus.yml'), 'utf8');
  await writeFile(join(dir, 'prometheus.yml'), config.replaceAll('_interval: 15s', `_interval: ${interval}s`));
  await writeFile(join(dir, 'alerts.yml'), await readFile(join(source, 'alerts.yml')));
}

/** In one step: Prometheus never reads half of it. */
async function tell(dir: string, record: InstanceRecord, natsExporter: number): Promise<void> {
  const path = join(dir, 'targets', 'fave.json');
  await writeFile(`${path}.new`, JSON.stringify(targetsOf(record, natsExporter), null, 2));
  await rename(`${path}.new`, path);
}
