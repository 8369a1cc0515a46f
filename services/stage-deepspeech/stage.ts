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
        'speech recognition engine; auto: whisper if FAVE_WHISPER_MODEL names a model (fave models pull), else pocketsphinx',
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
    'whisper-model': { type: 'string', default: '', description: 'path of a ggml model for whisper.cpp' },
    'pocketsphinx-model': {
      type: 'string',
      default: '/usr/share/pocketsphinx/model/en-us',
      description: 'directory of the US English model of pocketsphinx; the default is that of Debian’s pocketsphinx-en-us',
    },
  },
  load: () => import('./run.ts'),
});
