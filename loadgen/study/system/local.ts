import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  instanceEnvironment,
  readInstance,
  startInstance,
  stopInstance,
  type InstanceRecord,
} from '../../../infra/instance/instance.ts';
import { freePorts } from '../../../infra/deployment/ports.ts';
import { regimeSettings } from '../../../infra/deployment/regimes.ts';
import { scaleEventLogPath } from '../../../infra/scaler/scale-event-log.ts';
import { serverPrograms } from '../../../infra/servers/table.ts';
import { graph } from '../../../services/pipeline.ts';
import { readConfig } from '../../../shared/config/config.ts';
import { PermanentError } from '../../../shared/core/errors.ts';
import { createExec } from '../../../shared/tools/exec.ts';
import { parseJson } from '../../../shared/core/validate.ts';
import type { Platform, ReplicaCount, RunningSystem } from './platform.ts';
import { readCpuTime, readMemory } from './proc.ts';

/** Runs each system on this machine, as an instance with a separate data directory, ports and launcher. */
export const local: Platform = {
  name: 'local',
  async start(regime) {
    if (process.env['ARTIFACT_ENDPOINT'] || process.env['NATS_URL'])
      throw new PermanentError('external-servers-set', 'a study starts its own servers: unset ARTIFACT_ENDPOINT and NATS_URL');
    const dataDir = await mkdtemp(join(tmpdir(), 'fave-study-'));
    const remove = (): Promise<void> => rm(dataDir, { recursive: true, force: true, maxRetries: 3 });
    try {
      const { minio: base } = await freePorts();
      const record = await startInstance(dataDir, ['--port-base', String(base), '--regime', regime]);
      const { store, bus } = readConfig(await instanceEnvironment(record));
      const settings = regimeSettings(regime, graph);
      return { settings, store, bus, ...observe(dataDir), stop: async () => void (await stopInstance(dataDir).finally(remove)) };
    } catch (error) {
      await stopInstance(dataDir);
      await remove();
      throw error;
    }
  },
  async versions() {
    const [ffmpeg] = (await createExec({ env: process.env })('ffmpeg', ['-version'])).stdout.split('\n');
    return {
      node: process.version,
      minio: serverPrograms.minio.version,
      'nats-server': serverPrograms.natsServer.version,
      ffmpeg: /version (\S+)/.exec(ffmpeg ?? '')?.[1] ?? 'unknown',
    };
  },
};

function observe(dataDir: string): Omit<RunningSystem, 'settings' | 'store' | 'bus' | 'stop'> {
  const record = async (): Promise<InstanceRecord> => {
    const found = await readInstance(dataDir);
    if (!found) throw new PermanentError('system-gone', `the instance in ${dataDir} has stopped: see its launcher.log`);
    return found;
  };
  return {
    assertRunning: async () => void (await record()),
    async replicas() {
      const counts: Record<string, ReplicaCount> = {};
      for (const { name, pid, http } of (await record()).processes) {
        const { replicas, ready, rss_mb } = counts[name] ?? { replicas: 0, ready: 0, rss_mb: 0 };
        const rss = readMemory(pid).rss;
        counts[name] = { replicas: replicas + 1, ready: ready + Number(http !== undefined), rss_mb: rss_mb + rss };
      }
      return counts;
    },
    async cpuTime() {
      const { launcher, processes } = await record();
      // The time of a replica that has exited is part of the launcher's time with children.
      return [launcher, ...processes].reduce((sum, { pid }) => sum + readCpuTime(pid, { withChildren: true }), 0);
    },
    async scaleEvents() {
      const text = await readFile(scaleEventLogPath(dataDir), 'utf8').catch(() => '');
      return text.split('\n').flatMap((line) => (line === '' ? [] : [parseJson('scaleEvent', line)]));
    },
  };
}
