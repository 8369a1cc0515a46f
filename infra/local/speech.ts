import { basename } from 'node:path';
import { messageOf } from '../../shared/core/errors.ts';
import { NO_MODEL } from '../../shared/models/find-model.ts';
import { provideWhisperModel, type PullOptions } from '../servers/models.ts';
import { ensureWhisperServer } from '../servers/whisper-server.ts';

/**
 * Provides the model and the program of Whisper, at the same time. It reports a missing one and never throws, because another engine
 * can transcribe.
 * @returns Variables of stage-deepspeech: `FAVE_WHISPER_MODEL`, `FAVE_WHISPER_SERVER`.
 */
export async function provideSpeech(options: PullOptions): Promise<Record<string, string>> {
  const { env, progress, signal } = options;
  if (env['FAVE_WHISPER_MODEL'] === NO_MODEL) {
    progress('pocketsphinx transcribes, because FAVE_WHISPER_MODEL is none');
    return {};
  }
  const [model, server] = await Promise.allSettled([
    provideWhisperModel(options),
    env['FAVE_WHISPER_SERVER'] || ensureWhisperServer(progress, signal),
  ]);
  if (signal?.aborted) return {};
  if (model.status === 'rejected')
    progress(
      `no Whisper model, so pocketsphinx transcribes with many errors: ${messageOf(model.reason)}; see docs/installation.md#speech-models`,
    );
  else if (server.status === 'rejected') progress(`whisper-node runs the Whisper model, slowly: ${messageOf(server.reason)}`);
  else progress(`Whisper transcribes with ${basename(model.value ?? '')}`);
  return {
    ...(model.status === 'fulfilled' && model.value !== undefined && { FAVE_WHISPER_MODEL: model.value }),
    ...(server.status === 'fulfilled' && { FAVE_WHISPER_SERVER: server.value }),
  };
}
