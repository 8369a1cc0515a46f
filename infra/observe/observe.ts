import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, PermanentError } from '../../shared/core/errors.ts';
import { root } from '../process/paths.ts';
import { METRICS_ROLE, metricsToken } from '../access/metrics.ts';
import { readSecrets } from '../access/secrets.ts';
import { closeNewFiles } from '../process/data-dir.ts';
import { startProcess, waitUntilReady, type RunningProcess } from '../process/process.ts';
import { readInstance, type InstanceRecord } from '../instance/record.ts';
import type { ProgressReporter } from '../process/progress.ts';
import { ensurePackages } from '../servers/packages.ts';
import { serveNatsMetrics } from './nats-exporter.ts';
import { targetsOf } from './targets.ts';

/** Interval between two reads of the instance record, in milliseconds. */
const UPDATE_INTERVAL_MS = 1_000;

/** Timeout for the start and the stop of Prometheus, in milliseconds. */
const PROMETHEUS_TIMEOUT_MS = 30_000;

export interface ObserveOptions {
  /** Data directory of the running instance, absolute. */
  readonly dataDir: string;
  /** Port of Prometheus. */
  readonly port: number;
  readonly progress: ProgressReporter;
  /** Interval of scrapes and alert evaluation, in seconds. */
  readonly interval?: number;
}

/**
 * Runs Prometheus with the rules of `alerts.yml`, and updates its targets as processes of the instance start and stop.
 * @throws PermanentError `not-running`, `packages-missing`, `not-ready`.
 */
export async function runPrometheus({
  dataDir,
  port,
  progress,
  interval = 15,
}: ObserveOptions): Promise<{ url: string; stop: () => Promise<void> }> {
  const record = await readInstance(dataDir);
  if (!record) throw new PermanentError('not-running', `no instance is running in ${dataDir}; start one with npm start`);
  await ensurePackages(progress, { prometheus: 'prometheus' });
  closeNewFiles();
  const exporter = await serveNatsMetrics({ from: `http://127.0.0.1:${record.ports.monitor}` });
  const dir = join(dataDir, 'observe');
  let timer: NodeJS.Timeout | undefined;
  let server: RunningProcess | undefined;
  const stop = async (): Promise<void> => {
    clearInterval(timer);
    await server?.stop(PROMETHEUS_TIMEOUT_MS);
    exporter.close();
  };
  try {
    await configure(dir, interval, metricsToken((await readSecrets(dataDir))?.store[METRICS_ROLE] ?? ''));
    await writeTargets(dir, record, exporter.port);
    // Without a running instance the last targets are kept, so that an alert fires.
    const update = async (): Promise<void> => {
      const now = await readInstance(dataDir);
      if (now) await writeTargets(dir, now, exporter.port);
    };
    let updating = Promise.resolve();
    timer = setInterval(() => {
      // Serial: concurrent updates would rename the same file.
      updating = updating.then(update).catch((error: unknown) => {
        progress(`cannot update the targets of Prometheus: ${messageOf(error)}`);
      });
    }, UPDATE_INTERVAL_MS);
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
    await waitUntilReady(server, PROMETHEUS_TIMEOUT_MS, async () => ((await fetch(`${url}/-/ready`)).ok ? true : undefined));
    return { url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function configure(dir: string, interval: number, token: string): Promise<void> {
  await mkdir(join(dir, 'targets'), { recursive: true });
  const source = join(root, 'infra', 'observe');
  const config = await readFile(join(source, 'prometheus.yml'), 'utf8');
  await writeFile(join(dir, 'prometheus.yml'), config.replaceAll('_interval: 15s', `_interval: ${interval}s`));
  await writeFile(join(dir, 'minio-token'), token);
  await writeFile(join(dir, 'alerts.yml'), await readFile(join(source, 'alerts.yml')));
}

/** Writes the targets atomically, so that Prometheus never reads a partial file. */
async function writeTargets(dir: string, record: InstanceRecord, natsExporter: number): Promise<void> {
  const targets = targetsOf(record, natsExporter);
  for (const minio of [true, false]) {
    const path = join(dir, 'targets', minio ? 'minio.json' : 'fave.json');
    const groups = targets.filter(({ labels }) => (labels['job'] === 'minio') === minio);
    await writeFile(`${path}.new`, JSON.stringify(groups, null, 2));
    await rename(`${path}.new`, path);
  }
}
