import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Request } from '../../../schemas/generated/types.ts';
import { metadataPaths } from '../../pipeline/keys.ts';
import type { OptionMap } from '../../core/options.ts';
import type { Item, StageContext } from '../../pipeline/stage.ts';
import type { Store } from '../../store/store.ts';
import type { Attempt } from '../attempt/attempt.ts';
import type { Background } from '../service/background-tasks.ts';
import { watchDisk, type DiskWatch } from './disk.ts';
import { createItem } from './item.ts';
import type { Metrics } from '../service/metrics.ts';
import { createOutputs } from './outputs.ts';
import { recording } from './tools.ts';

export interface Workshop {
  readonly store: Store;
  /** Directory in which each item gets one of its own. */
  readonly tmpdir: string;
  readonly settings: OptionMap;
  /** What the stage's `start` returned. */
  readonly resource: unknown;
  readonly background: Background;
  readonly metrics: Pick<Metrics, 'tools'>;
}

/** Where an item is worked on. */
export interface Place {
  readonly dir: string;
  readonly disk: DiskWatch;
}

/** Gives an attempt a directory of its own, which goes whatever happens, and its item. With it ends whatever still works there. */
export async function inDirectory<T>(
  attempt: Attempt,
  { store, tmpdir, background }: Workshop,
  request: () => Promise<Request>,
  use: (item: Item, place: Place) => Promise<T>,
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
    throw await disk.blame(error);
  } finally {
    disk.stop();
    abort.abort();
    if (dir !== undefined) discard(dir, background);
  }
}

/** Removes a directory while the item goes on to be settled. */
function discard(dir: string, background: Background): void {
  const remove = (): Promise<void> => rm(dir, { recursive: true, force: true, maxRetries: 3 });
  background.now(remove, `${dir} stays until a later process of this stage removes it`);
}

/** Names the process, so that what a killed one left can be told from what is in use. */
export function directoryPrefix(stage: string, owner = `${process.pid}-`): string {
  return `fave-${stage}-${owner}`;
}

/** Runs the stage; its outputs are in the bucket when this returns, and those stored before an error are listed too. */
export async function perform(
  attempt: Attempt,
  { store, settings, resource, metrics }: Workshop,
  item: Item,
  place: Place,
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
    exec: recording(attempt, place, metrics),
    used: (name, version) => {
      models[name] = version;
    },
  };
  try {
    await stage.run(item, context);
  } finally {
    attempt.outputs.push(...outputs.stored);
  }
}
