/**
 * Runs the stages that use no tool on local files, for the script that the pipeline is compared with: `librosa AUDIO` analyses a
 * soundtrack; `detector FOLDER…` loads the model once and analyses all frames.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import detector from '../../../services/stage-object-detector/stage.ts';
import librosa from '../../../services/stage-librosa/stage.ts';
import type { Item } from '../../../shared/pipeline/stage.ts';
import { startLocalStage } from '../local-stage.ts';

const [what, ...paths] = process.argv.slice(2);
const stage = await startLocalStage(what === 'librosa' ? librosa : detector);
for (const path of paths) {
  const folder = resolve(path);
  const dir = resolve(`work-${basename(path)}`);
  const item: Partial<Item> = {
    indices: { clip: 1 },
    attributes: {},
    file: () => Promise.resolve(folder),
    json: async () => JSON.parse(await readFile(join(folder, 'frames.json'), 'utf8')) as unknown,
    sibling: (kind, { frame = 0 } = {}) =>
      Promise.resolve({ kind, file: () => Promise.resolve(join(folder, `frame_${String(frame).padStart(4, '0')}.jpg`)) } as Item),
  };
  await writeFile(join(dir, 'result.json'), JSON.stringify(await stage.run(item, dir)));
}
process.exit();
