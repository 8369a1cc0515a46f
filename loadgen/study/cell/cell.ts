import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Anomaly, Cell, CellStorage } from '../../../schemas/generated/types.ts';
import type { RegimeName } from '../../../infra/deployment/regimes.ts';
import { connectBus } from '../../../shared/bus/connection.ts';
import { messageOf } from '../../../shared/core/errors.ts';
import { createStore } from '../../../shared/store/store.ts';
import { validate } from '../../../shared/core/validate.ts';
import type { Arrivals } from '../../arrivals/arrivals.ts';
import { createJsonlWriter, recordFiles, readJsonl } from '../../record/record-files.ts';
import type { Video } from '../../arrivals/mix.ts';
import { findAnomalies, countDeadLetters } from './anomalies.ts';
import { runLoadProcess } from './load-process.ts';
import { toLoadArgs, type LoadName } from '../plan/loads.ts';
import type { Platform, RunningSystem } from '../system/platform.ts';
import { startSnapshots, type ObservedSystem } from './snapshots.ts';
import { archiveLogs, measureStorage } from './storage.ts';
import { warmUp } from './warm-up.ts';

/** Plan of one cell. `facts` are equal for all cells of a study. */
export interface CellPlan {
  readonly regime: RegimeName;
  readonly load: LoadName;
  readonly repeat: number;
  readonly seed: number;
  readonly arrivals: Arrivals;
  readonly video: Video;
  /** Timeout for the last requests, in seconds. */
  readonly wait: number;
  /** Output directory of the record. */
  readonly dir: string;
  readonly facts: Pick<Cell, 'command' | 'settings' | 'arrivals' | 'video' | 'machine' | 'versions'>;
}

/** Time after which all stages have uploaded their log lines, in ms: the interval is three seconds. */
const LOG_UPLOAD_MS = 4_000;

/**
 * Runs a cell on a new system and writes its record, with cell.json last. A cell with a failed system is recorded as `broken`.
 * @throws The reason of `signal`. In that case cell.json is not written, so the next study runs the cell again.
 */
export async function runCell(platform: Platform, plan: CellPlan, signal: AbortSignal): Promise<Cell> {
  const { regime, load, repeat, seed, dir, facts } = plan;
  await rm(dir, { recursive: true, force: true }); // left by an interrupted cell
  await mkdir(dir, { recursive: true });
  const begun = new Date().toISOString();
  const measured = await withSystem(platform, regime, (observed) => measure(plan, observed, signal)).catch(
    (error: unknown): Measured => {
      signal.throwIfAborted();
      return { ...NOTHING, status: 'broken', reason: messageOf(error), began: begun, ended: new Date().toISOString() };
    },
  );
  const cell = validate('cell', { platform: platform.name, regime, load, repeat, seed, ...facts, ...measured });
  await writeFile(join(dir, recordFiles.cell), `${JSON.stringify(cell, null, 2)}\n`);
  return cell;
}

type Measured = Pick<Cell, 'status' | 'reason' | 'began' | 'ended' | 'storage' | 'anomalies'>;

const NOTHING: { storage: CellStorage; anomalies: Anomaly[] } = {
  storage: { bytes: 0, objects: 0, by_prefix: {} },
  anomalies: [],
};

/** Starts a system, runs `work` and stops the system. */
export async function withSystem<T>(
  platform: Platform,
  regime: RegimeName,
  work: (observed: ObservedSystem) => Promise<T>,
): Promise<T> {
  const system = await platform.start(regime);
  try {
    return await connected(system, work);
  } finally {
    await system.stop();
  }
}

async function connected<T>(system: RunningSystem, work: (observed: ObservedSystem) => Promise<T>): Promise<T> {
  const store = createStore(system.store);
  try {
    const bus = await connectBus(system.bus, 'study');
    try {
      return await work({ system, store, bus });
    } finally {
      await bus.close();
    }
  } finally {
    store.close();
  }
}

async function measure(plan: CellPlan, observed: ObservedSystem, signal: AbortSignal): Promise<Measured> {
  const { dir, video, arrivals, seed, wait } = plan;
  const { system, store, bus } = observed;
  await warmUp(observed, video, signal);
  const snapshots = await createJsonlWriter(join(dir, recordFiles.snapshots));
  const stopSnapshots = startSnapshots(observed, snapshots);
  const started = new Date().toISOString();
  try {
    await runLoadProcess(
      system,
      [...toLoadArgs(arrivals), '--seed', `${seed}`, '--wait', `${wait}`, '--video', video.path, '--out', dir],
      signal,
    );
  } finally {
    await stopSnapshots().finally(() => snapshots.close());
  }
  const ended = new Date().toISOString();
  await system.assertRunning();

  await sleep(LOG_UPLOAD_MS, undefined, { signal });
  const requests = await readJsonl('loadRecord', join(dir, recordFiles.requests));
  const items = await readJsonl('itemRecord', join(dir, recordFiles.items));
  const scaling = await system.scaleEvents();
  await writeFile(join(dir, recordFiles.scale), scaling.map((event) => `${JSON.stringify(event)}\n`).join(''));
  // The cell starts at the first arrival; before that, the load process was starting.
  const began = requests.map(({ intended }) => intended).sort()[0] ?? started;
  const ids = new Set(requests.map(({ request_id }) => request_id));
  await archiveLogs(store, ids, join(dir, recordFiles.logs));
  const anomalies = [...findAnomalies(requests, items, scaling), ...(await countDeadLetters(bus))];
  return { status: 'finished', began, ended, storage: await measureStorage(store, ids), anomalies };
}
