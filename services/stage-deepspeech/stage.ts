import { kinds } from '../../schemas/kinds.ts';
import { windowOf } from '../../shared/media/clip-window.ts';
import { defineStage } from '../../shared/pipeline/stage.ts';
import { nullEngine } from './engine.ts';
import { ENGINE_NAMES, enginesFor } from './engines.ts';
import { DEBIAN_MODEL } from './pocketsphinx.ts';
import { findSpeech, readLevels } from './voice-activity.ts';
import { transcriptOf } from './transcript.ts';

/** What is said in a clip, word by word, in times of the source video. */
export default defineStage({
  name: 'stage-deepspeech',
  version: 1,
  consumes: kinds.speech,
  produces: [kinds.transcript],
  options: {
    speech: {
      type: 'string',
      enum: ENGINE_NAMES,
      default: 'auto',
      description:
        'speech recognition: auto is whisper where FAVE_WHISPER_MODEL names a model (fave models pull), else pocketsphinx',
    },
    language: {
      type: 'string',
      default: 'auto',
      maxLength: 35,
      description: 'language spoken, BCP 47; auto lets the engine find out',
    },
  },
  settings: {
    'whisper-model': { type: 'string', default: '', description: 'path of a ggml model for whisper.cpp' },
    'pocketsphinx-model': { type: 'string', default: DEBIAN_MODEL, description: "folder of pocketsphinx's US English model" },
  },

  start: ({ settings, log }) =>
    Promise.resolve(enginesFor({ whisperModel: settings['whisper-model'], sphinxModel: settings['pocketsphinx-model'] }, log)),

  async run(clip, { options, resource: engines, exec, log, outputs, dir, recordModel: used }) {
    const window = windowOf(clip);
    const wav = await clip.file();
    const { header, levels } = await readLevels(wav);
    const speech = findSpeech(levels);

    const engine = speech.length > 0 ? await engines[options.speech]() : nullEngine;
    const heard = await engine.transcribe({ wav, header, speech, language: options.language, exec, dir });
    const transcript = transcriptOf(engine, heard, window);

    used(engine.name, engine.version);
    if (engine.model !== null) used(`${engine.name}:${engine.model}`, engine.modelVersion ?? 'unknown');
    log.info(
      { event: 'speech:transcribed', engine: engine.name, model: engine.model, utterances: transcript.utterances.length },
      'transcribed',
    );
    await outputs.json(kinds.transcript, transcript);
  },
});
