import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning } from '../process/identity.ts';
import { kill } from '../process/process.ts';
import { readRecord } from '../instance/record.ts';
import { scaleEventLogPath } from '../scaler/scale-event-log.ts';

/** Removes what an instance left whose launcher was killed: its processes, which hold the ports, and its temporary
 * files; the logs and the record of scaling of the last one are kept beside the new. */
export async function removeInstanceOrphans(dataDir: string): Promise<void> {
  const left = ((await readRecord(dataDir))?.processes ?? []).filter(isRunning);
  for (const { pid } of left) kill(-pid, 'SIGTERM');
  for (let waited = 0; left.some(isRunning) && waited < 50; waited += 1) await sleep(100);
  for (const each of left.filter(isRunning)) kill(-each.pid, 'SIGKILL');
  await rm(join(dataDir, 'tmp'), { recursive: true, force: true });
  await rm(join(dataDir, 'logs.1'), { recursive: true, force: true });
  await rename(join(dataDir, 'logs'), join(dataDir, 'logs.1')).catch(() => undefined);
  await rename(scaleEventLogPath(dataDir), `${scaleEventLogPath(dataDir)}.1`).catch(() => undefined);
  await mkdir(join(dataDir, 'tmp'), { recursive: true, mode: 0o700 });
  await mkdir(join(dataDir, 'logs'), { recursive: true, mode: 0o700 });
}
