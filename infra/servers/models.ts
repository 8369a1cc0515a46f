import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_MODEL, knownModel, modelUrl } from '../../shared/models/catalogue.ts';
import { downloadModel } from '../../shared/models/download.ts';
import { findModel, isPath, NO_MODEL, parseDirectories } from '../../shared/models/find-model.ts';
import type { Environment } from '../access/environment.ts';
import { withLock } from '../process/lock.ts';
import { cacheDir } from '../process/paths.ts';
import { reportDownload, type ProgressReporter } from '../process/progress.ts';

/** Directory of downloaded models, shared by all instances of the machine. */
export const modelsDir = join(cacheDir, 'models');

/** Longest download during a start (ms). The next start continues it. */
const START_TIMEOUT_MS = 15 * 60_000;

export interface PullOptions {
  readonly env: Environment;
  readonly progress: ProgressReporter;
  readonly signal?: AbortSignal | undefined;
  /** Default: {@link modelsDir}. */
  readonly directory?: string;
}

/** Returns the directories in which models are found: those of `FAVE_MODELS`, then the cache. */
export function modelDirectories(env: Environment): string[] {
  return [...parseDirectories(env['FAVE_MODELS']), modelsDir];
}

/**
 * Downloads a model of the catalogue, unless the directory contains it. Concurrent callers wait for the first one.
 * @returns The path of the file.
 * @throws PermanentError `unknown-model`, `wrong-checksum`; RetryableError `download-failed`; the reason of `signal`.
 */
export async function pullModel(name: string, { env, progress, signal, directory = modelsDir }: PullOptions): Promise<string> {
  const model = knownModel(name);
  const path = join(directory, model.file);
  const work = async (): Promise<string> => {
    if (existsSync(path)) return path;
    await reportDownload(progress, `the model ${name}`, model.bytes, (onProgress) =>
      downloadModel(model, modelUrl(model, env['FAVE_MODELS_URL']), path, { signal, onProgress }),
    );
    return path;
  };
  return existsSync(path)
    ? path
    : withLock(
        join(directory, `.lock-${model.file}`),
        work,
        () => {
          progress(`waiting for another process that downloads ${name} …`);
        },
        signal,
      );
}

/**
 * Returns the path of the Whisper model of an instance: the one that `FAVE_WHISPER_MODEL` selects, else an installed one, else the
 * default model, which is downloaded. Returns `undefined` if `FAVE_WHISPER_MODEL` is `none`.
 * @throws the errors of {@link pullModel}.
 */
export async function provideWhisperModel({
  env,
  progress,
  signal,
  directory = modelsDir,
}: PullOptions): Promise<string | undefined> {
  const wanted = env['FAVE_WHISPER_MODEL'] ?? '';
  const found = findModel('whisper', wanted, [...parseDirectories(env['FAVE_MODELS']), directory]);
  if (found !== undefined || wanted === NO_MODEL || isPath('whisper', wanted)) return found;
  const limit = AbortSignal.timeout(START_TIMEOUT_MS);
  return pullModel(wanted || DEFAULT_MODEL, {
    env,
    progress,
    signal: signal ? AbortSignal.any([signal, limit]) : limit,
    directory,
  });
}
