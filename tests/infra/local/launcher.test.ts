import { mkdir, symlink } from 'node:fs/promises';
import { expect, it, onTestFinished } from 'vitest';
import { isRunning } from '../../../infra/process/identity.ts';
import { launch } from '../../../infra/local/launcher.ts';
import { freePorts } from '../../../infra/deployment/ports.ts';
import { readRecord } from '../../../infra/instance/record.ts';
import { scaleEventLogPath } from '../../../infra/scaler/scale-event-log.ts';
import { graph } from '../../../services/pipeline.ts';
import { createTempDir } from '../../support/temp-dir.ts';

it('survives a full disk of the scale event log and reports it after the stop', { timeout: 120_000 }, async () => {
  const dataDir = createTempDir();
  await symlink('/dev/full', scaleEventLogPath(dataDir));
  await mkdir(`${scaleEventLogPath(dataDir)}.1`); // prevents the rename of an earlier log
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'] };
  const common = { graph, env, progress: () => undefined };
  const instance = await launch({ ...common, dataDir, ports: await freePorts(), services: ['stage-grep'], regime: 'warm' });
  onTestFinished(() => instance.stop().catch(() => undefined));
  const { processes } = instance.record;
  expect(processes.map(({ name }) => name)).toEqual(['nats-server', 'minio', 'stage-grep']);
  expect(processes.every(isRunning)).toBe(true);
  await expect(instance.stop()).rejects.toThrow('ENOSPC');
  expect(processes.filter(isRunning)).toEqual([]);
  expect(await readRecord(dataDir)).toBeUndefined();
});
