import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Request } from '../../../schemas/generated/types.ts';
import { metadataPaths } from '../../pipeline/keys.ts';
import type { OptionMap } from '../../core/options.ts';
import type { Item, StageContext } from '../../pipeline/stage.ts';
import type { Store } from '../../store/store.ts';
import type { Attempt } from '../attempt/attempt.ts';
import type { BackgroundTasks } from '../service/background-tasks.ts';
import { watchDisk, type DiskWatch } from './disk.ts';
import { createItem } from './item.ts';
import type { Metrics } from '../service/metrics.ts';
import { createOutputs } from './outputs.ts';
import { createRecordedExec } from './recorded-exec.ts';

export interface WorkerDependencies {
  readonly store: Store;
  /** Directory in which each item gets one of its own. */
  readonly tmpdir: string;
  readonly settings: OptionMap;
  /** What the stage's `start` returned. */
  readonly resource: unknown;
  readonly background: BackgroundTasks;
  readonly metrics: Pick<Metrics, 'tools'>;
}

/** Where an item is worked on. */
export interface Workdir {
  readonly dir: string;
  readonly disk: DiskWatch;
}

/** Gives an attempt a directory of its own, which goes whatever happens, and its item. With it ends whatever still works there. */
export async function withWorkdir<T>(
  attempt: Attempt,
  { store, tmpdir, background }: WorkerDependencies,
  request: () => Promise<Request>,
  use: (item: Item, place: Workdir) => Promise<T>,
): Promise<T> {
  const { stage, landed, abort } = attempt;
  const disk = watchDisk(tmpdir);
  let dir: string | undefined;
  try {
    // Synchronous: a tenth of a millisecond, against half of one through the thread pool.
    dir = mkdtempSync(join(tmpdir, directoryPrefix(stage.name)));
    const item = createItem(landed, stage.consumes, { store, dir, signal: abort.signal, request, reads: stage.reads ?? [] });
    return await use(item, { dir, disk });
  } catch (error) {
    throw await disk.explainError(error);
  } finally {
    disk.stop();
    abort.abort();
    if (dir !== undefined) discard(dir, background);
  }
}

/** Removes a directory while the item goes on to be settled. */
function discard(dir: string, background: BackgroundTasks): void {
  const remove = (): Promise<void> => rm(dir, { recursive: true, force: true, maxRetries: 3 });
  background.now(remove, `${dir} stays until a later process of this stage removes it`);
}

/** Names the process, so that what a killed one left can be told from what is in use. */
export function directoryPrefix(stage: string, owner = `${process.pid}-`): string {
  return `fave-${stage}-${owner}`;
}

/** Runs the stage; its outputs are in the bucket when this returns, and those stored before an error are listed too. */
export async function runStage(
  attempt: Attempt,
  { store, settings, resource, metrics }: WorkerDependencies,
  item: Item,
  place: Workdir,
): Promise<void> {
  const { dir } = place;
  const { stage, landed, abort, log, models, span } = attempt;
  const { signal } = abort;
  const receipt = metadataPaths.receipt(stage.name, attempt.item);
  const { traceparent } = span;
  const outputs = createOutputs(item, landed, { produces: stage.produces, store, signal, receipt, traceparent });
  const context: StageContext<OptionMap, OptionMap, unknown> = {
    options: attempt.options,
    settings,
    resource,
    outputs,
    log,
    signal,
    dir,
    exec: createRecordedExec(attempt, place, metrics),
    recordModel: (name, version) => {
      models[name] = version;
    },
  };
  try {
    await stage.run(item, context);
  } finally {
    attempt.outputs.push(...outputs.stored);
  }
}
