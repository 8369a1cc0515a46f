import { mkdir } from 'node:fs/promises';
import { createLogger } from '../../shared/observability/log.ts';
import { withDefaults, type OptionMap } from '../../shared/core/options.ts';
import { loadStage, type AnyStage, type Item } from '../../shared/pipeline/stage.ts';
import { createExec, type Exec } from '../../shared/tools/exec.ts';

/** A stage without store and bus. */
export interface LocalStage {
  /** Processes an item in a new directory and returns the JSON that it creates. */
  run(item: Partial<Item>, dir: string): Promise<object>;
}

const log = createLogger({ service: 'script' }, 'silent');
const exec = createExec({ env: process.env });
const { signal } = new AbortController();

/** Loads a stage and its models. */
export async function startLocalStage(declared: AnyStage, settingValues: OptionMap = {}): Promise<LocalStage> {
  const stage = await loadStage(declared);
  const settings = withDefaults(stage.settings ?? {}, settingValues);
  const resource: unknown = await stage.start?.({ settings, log, exec });
  return {
    async run(item, dir) {
      await mkdir(dir, { recursive: true });
      let result: object = {};
      const context: unknown = {
        options: withDefaults(stage.options ?? {}, {}),
        settings,
        resource,
        outputs: {
          shared: (_: unknown, compute: () => Promise<unknown>) => compute(),
          json: (_: unknown, value: object) => {
            result = value;
            return Promise.resolve();
          },
        },
        exec: ((command, args, options) => exec(command, args, { cwd: dir, signal, ...options })) satisfies Exec,
        log,
        signal,
        dir,
        recordModel: () => undefined,
      };
      await stage.run(item as Item, context as Parameters<typeof stage.run>[1]);
      return result;
    },
  };
}
