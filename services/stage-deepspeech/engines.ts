import { PermanentError, messageOf } from '../../shared/core/errors.ts';
import type { Logger } from '../../shared/observability/log.ts';
import type { Exec } from '../../shared/tools/exec.ts';
import { nullEngine, type EngineName, type TranscriptionEngine } from './engine.ts';
import { createPocketsphinx } from './pocketsphinx.ts';
import { createWhisper } from './whisper.ts';

/** The engines of this process, each made when it is first asked for. */
export type Engines = Readonly<Record<EngineName, () => Promise<TranscriptionEngine>>>;

/** @param whisperModel - path of a ggml model; empty where there is none */
export function createEngines(
  { whisperModel, sphinxModel }: { whisperModel: string; sphinxModel: string },
  log: Logger,
  exec: Exec,
): Engines {
  const onBuild = (): void => {
    log.info({ event: 'whisper:build' }, 'building whisper.cpp: half a minute, once');
  };
  const engines = {
    whisper: once(() => {
      if (whisperModel === '') throw noModel();
      return createWhisper(whisperModel, exec, onBuild);
    }),
    pocketsphinx: once(() => createPocketsphinx(sphinxModel, exec)),
    none: () => Promise.resolve(nullEngine),
  };
  const auto = once(async () => {
    if (whisperModel === '') return engines.pocketsphinx();
    return engines.whisper().catch((error: unknown) => {
      log.warn(
        { event: 'whisper:unusable', reason: messageOf(error) },
        'whisper cannot be used: pocketsphinx transcribes instead',
      );
      return engines.pocketsphinx();
    });
  });
  return { ...engines, auto };
}

/** Keeps what was made; a failure is not kept, so that what an operator installs meanwhile is found. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return async () => {
    made ??= Promise.resolve().then(make);
    return made.catch((error: unknown) => {
      made = undefined;
      throw error;
    });
  };
}

function noModel(): PermanentError {
  return new PermanentError(
    'no-whisper-model',
    'The request asks for whisper, and no model is configured. Fetch one with `fave models pull base.en` and set FAVE_WHISPER_MODEL to its path.',
  );
}
