import type { RequestLimits } from '../../config/limits.ts';
import { metadataPaths } from '../../pipeline/keys.ts';
import type { OptionMap } from '../../core/options.ts';
import type { Item, StageContext } from '../../pipeline/stage.ts';
import type { Store } from '../../store/store.ts';
import type { Exec } from '../../tools/exec.ts';
import type { Metrics } from '../service/metrics.ts';
import { commonMetadata, createOutputs } from './outputs.ts';
import { createRecordedExec } from './recorded-exec.ts';
import type { StageRun } from './stage-run.ts';
import type { Workdir } from './workdir.ts';

export interface StageDependencies {
  readonly store: Store;
  readonly settings: OptionMap;
  /** Result of the stage's `start`. */
  readonly resource: unknown;
  readonly metrics: Pick<Metrics, 'tools'>;
  readonly exec: Exec;
  readonly config: { readonly limits: Pick<RequestLimits, 'outputBytes'> };
}

/** Runs the stage on an item. All outputs are stored when it returns; outputs stored before an error are in the run's record. */
export async function runStage(
  run: StageRun,
  { store, settings, resource, metrics, exec, config }: StageDependencies,
  item: Item,
  workdir: Workdir,
): Promise<void> {
  const { stage, options, log, record } = run;
  const { signal } = run.abort;
  const metadata = { ...commonMetadata(run), receipt: metadataPaths.receipt(stage.name, run.itemId) };
  const context: StageContext<OptionMap, OptionMap> = {
    options,
    settings,
    resource,
    outputs: createOutputs(item, run, { store, metadata, maxBytes: config.limits.outputBytes }),
    log,
    signal,
    dir: workdir.dir,
    exec: createRecordedExec(run, workdir, { exec, metrics }),
    recordModel: (name, version) => {
      record.models[name] = version;
    },
  };
  await stage.run(item, context);
}
