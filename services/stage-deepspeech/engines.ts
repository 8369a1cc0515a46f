import { PermanentError, messageOf } from '../../shared/core/errors.ts';
import { findModel, NO_MODEL, parseDirectories } from '../../shared/models/find-model.ts';
import type { Logger } from '../../shared/observability/log.ts';
import type { Exec } from '../../shared/tools/exec.ts';
import { nullEngine, type EngineName, type TranscriptionEngine } from './engine.ts';
import { createOpenai } from './openai.ts';
import { createPocketsphinx } from './pocketsphinx.ts';
import { createWhisperNode } from './whisper-node/whisper-node.ts';
import { createWhisper } from './whisper/whisper.ts';

/** The engines of this process. Each is created on its first use. */
export type Engines = Readonly<Record<EngineName, () => Promise<TranscriptionEngine>>>;

/** Settings of the engines. */
export interface EngineSettings {
  /** Path or name of a ggml model; empty for the preferred one. */
  readonly 'whisper-model': string;
  /** Path of whisper-server; empty: found on PATH. */
  readonly 'whisper-server': string;
  /** Directories of models, separated by colons. They are searched on each use, because a model may be installed later. */
  readonly models: string;
  readonly 'pocketsphinx-model': string;
  readonly 'openai-url': string;
  readonly 'openai-key': string;
  readonly 'openai-model': string;
}

/** Returns the engines: the only list of them. */
export function createEngines(settings: EngineSettings, log: Logger, exec: Exec): Engines {
  const findWhisperModel = (): string | undefined =>
    findModel('whisper', settings['whisper-model'], parseDirectories(settings.models));
  const requireModel = (): string => {
    const path = findWhisperModel();
    if (path === undefined) throw noModel();
    return path;
  };
  const onBuild = (): void => {
    log.info({ event: 'whisper:build' }, 'building whisper.cpp once, which takes half a minute');
  };
  const engines = {
    whisper: once(() => createWhisper(settings['whisper-server'] || 'whisper-server', requireModel(), exec)),
    'whisper-node': once(() => createWhisperNode(requireModel(), exec, onBuild)),
    openai: once(() =>
      Promise.resolve(
        createOpenai({ url: settings['openai-url'], key: settings['openai-key'], model: settings['openai-model'] }),
      ),
    ),
    pocketsphinx: once(() => createPocketsphinx(settings['pocketsphinx-model'], exec)),
    none: () => Promise.resolve(nullEngine),
  };
  /** Returns the best engine that works here. Its notice states why a better one does not. */
  const auto = once(async () => {
    const hasModel = findWhisperModel() !== undefined;
    // An operator who chose none expects no notice.
    const reasons = hasModel || settings['whisper-model'] === NO_MODEL ? [] : [MISSING_MODEL];
    const withNotice = (engine: TranscriptionEngine): TranscriptionEngine =>
      reasons.length === 0 ? engine : { ...engine, notice: `transcribed by ${engine.name}: ${reasons.join('; ')}` };
    for (const name of hasModel ? MODEL_ENGINES : []) {
      try {
        return withNotice(await engines[name]());
      } catch (error) {
        log.warn(
          { event: 'whisper:unusable', reason: messageOf(error) },
          `${name} cannot be used, so another engine transcribes`,
        );
        reasons.push(messageOf(error));
      }
    }
    return withNotice(await engines.pocketsphinx());
  });
  return { ...engines, auto };
}

const MISSING_MODEL = 'no Whisper model is installed: run fave models pull and restart the instance';

/** Engines of `speech=auto` that run a Whisper model, in order of preference. */
const MODEL_ENGINES = ['whisper', 'whisper-node'] as const;

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
