import { kinds } from '../../schemas/kinds.ts';
import { defineStage } from '../../shared/pipeline/stage.ts';
import { ENGINE_NAMES } from './engine.ts';

/** Transcribes a clip word by word, with times in the source video. */
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
        'speech recognition engine; auto: whisper if a model is installed (npm start or fave models pull downloads one), else pocketsphinx',
    },
    speakers: {
      type: 'string',
      enum: ['auto', 'none'],
      default: 'auto',
      description:
        'auto: describe the voice of each utterance, so that the result names speakers; none: do not distinguish speakers',
    },
    language: {
      type: 'string',
      default: 'auto',
      maxLength: 35,
      description: 'spoken language, BCP 47; auto: detected by the engine',
    },
  },
  settings: {
    'whisper-model': {
      type: 'string',
      default: '',
      description: 'path or name of the Whisper model; empty: the preferred model of FAVE_MODELS; none: no Whisper',
    },
    'whisper-server': {
      type: 'string',
      default: '',
      description: 'path of whisper-server of whisper.cpp; empty: found on PATH; npm start builds and sets it',
    },
    models: { type: 'string', default: '', description: 'directories of models, separated by colons' },
    'pocketsphinx-model': {
      type: 'string',
      default: '/usr/share/pocketsphinx/model/en-us',
      description: 'directory of the US English model of pocketsphinx; the default is that of Debian’s pocketsphinx-en-us',
    },
  },
  load: () => import('./run.ts'),
});
