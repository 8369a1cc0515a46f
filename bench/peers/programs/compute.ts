/**
 * Runs the stages that use no tool on local files, for the script that the pipeline is compared with: `librosa AUDIO` analyses a
 * soundtrack; `detector FOLDER…` loads the model once and analyses all frames.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import detector from '../../../services/stage-object-detector/stage.ts';
import librosa from '../../../services/stage-librosa/stage.ts';
import { createExec, type Exec } from '../../../shared/tools/exec.ts';
import { createLogger } from '../../../shared/observability/log.ts';
import { withDefaults } from '../../../shared/core/options.ts';
import { loadStage, type Item, type LoadedStage } from '../../../shared/pipeline/stage.ts';

const [what, ...paths] = process.argv.slice(2);
const log = createLogger({ service: 'script' }, 'silent');
const exec = createExec({ env: process.env });
const { signal } = new AbortController();

async function run(stage: LoadedStage, path: string, resource: unknown): Promise<void> {
  const folder = resolve(path);
  const dir = resolve(`work-${basename(path)}`);
  await mkdir(dir, { recursive: true });
  const item: Partial<Item> = {
    indices: { clip: 1 },
    attributes: {},
    file: () => Promise.resolve(folder),
    json: async () => JSON.parse(await readFile(join(folder, 'frames.json'), 'utf8')) as unknown,
    sibling: (kind, { frame = 0 } = {}) =>
      Promise.resolve({ kind, file: () => Promise.resolve(join(folder, `frame_${String(frame).padStart(4, '0')}.jpg`)) } as Item),
  };
  const outputs = { json: (_: unknown, value: object) => writeFile(join(dir, 'result.json'), JSON.stringify(value)) };
  const context: unknown = {
    options: withDefaults(stage.options ?? {}, {}),
    settings: withDefaults(stage.settings ?? {}, {}),
    resource,
    outputs,
    exec: ((command, args, options) => exec(command, args, { cwd: dir, signal, ...options })) satisfies Exec,
    log,
    signal,
    dir,
    recordModel: () => undefined,
  };
  await stage.run(item as Item, context as Parameters<LoadedStage['run']>[1]);
}

const stage = await loadStage(what === 'librosa' ? librosa : detector);
const resource: unknown = await stage.start?.({ settings: withDefaults(stage.settings ?? {}, {}), log, exec });
for (const path of paths) await run(stage, path, resource);
process.exit();
