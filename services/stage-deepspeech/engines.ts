import { PermanentError, messageOf } from '../../shared/core/errors.ts';
import { findModel, parseDirectories } from '../../shared/models/find-model.ts';
import type { Logger } from '../../shared/observability/log.ts';
import type { Exec } from '../../shared/tools/exec.ts';
import { nullEngine, type EngineName, type TranscriptionEngine } from './engine.ts';
import { createPocketsphinx } from './pocketsphinx.ts';
import { createWhisper } from './whisper.ts';

/** The engines of this process. Each is created on its first use. */
export type Engines = Readonly<Record<EngineName, () => Promise<TranscriptionEngine>>>;

/**
 * Returns the engines.
 * @param whisperModel Path or name of a ggml model; empty for the preferred one.
 * @param models Directories of models, separated by colons. They are searched on each use, because a model may be installed later.
 */
export function createEngines(
  { whisperModel, models, sphinxModel }: { whisperModel: string; models?: string; sphinxModel: string },
  log: Logger,
  exec: Exec,
): Engines {
  const onBuild = (): void => {
    log.info({ event: 'whisper:build' }, 'building whisper.cpp once, which takes half a minute');
  };
  const findWhisperModel = (): string | undefined => findModel('whisper', whisperModel, parseDirectories(models));
  const engines = {
    whisper: once(() => {
      const path = findWhisperModel();
      if (path === undefined) throw noModel();
      return createWhisper(path, exec, onBuild);
    }),
    pocketsphinx: once(() => createPocketsphinx(sphinxModel, exec)),
    none: () => Promise.resolve(nullEngine),
  };
  const auto = once(async () => {
    if (findWhisperModel() === undefined) return engines.pocketsphinx();
    return engines.whisper().catch((error: unknown) => {
      log.warn({ event: 'whisper:unusable', reason: messageOf(error) }, 'whisper cannot be used, so pocketsphinx transcribes');
      return engines.pocketsphinx();
    });
  });
  return { ...engines, auto };
}

/** Caches a result but not a failure, so that a program which is installed later is found. */
export function once<T>(create: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return async () => {
    result ??= Promise.resolve().then(create);
    return result.catch((error: unknown) => {
      result = undefined;
      throw error;
    });
  };
}

function noModel(): PermanentError {
  return new PermanentError(
    'no-whisper-model',
    'the request selects whisper, but no model is installed; run `fave models pull base-q8_0` and restart the instance',
  );
}
