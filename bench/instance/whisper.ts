import { join } from 'node:path';
import { provideSpeech } from '../../infra/local/speech.ts';
import type { ProgressReporter } from '../../infra/process/progress.ts';
import { modelDirectories } from '../../infra/servers/models.ts';
import { PermanentError } from '../../shared/core/errors.ts';
import { findModel, isPath } from '../../shared/models/find-model.ts';
import { mediaDir } from './requests.ts';

/**
 * Finds an 8-bit Whisper model in the directories of `FAVE_MODELS`, in the cache, or beside the test media, and builds its server.
 * @param model Name without `-q8_0`, or path of a ggml file.
 * @returns Variables of stage-deepspeech.
 * @throws PermanentError `no-whisper-model`.
 */
export async function prepareWhisper(model: string, progress: ProgressReporter): Promise<Record<string, string>> {
  const directories = [...modelDirectories(process.env), join(mediaDir, '../models/whisper')];
  const path = findModel('whisper', isPath('whisper', model) ? model : `${model}-q8_0`, directories);
  if (path === undefined)
    throw new PermanentError(
      'no-whisper-model',
      `the Whisper model "${model}" is not installed; run \`fave models pull ${model}-q8_0\` or set FAVE_MODELS to its directory`,
    );
  return provideSpeech({ env: { ...process.env, FAVE_WHISPER_MODEL: path }, progress });
}
