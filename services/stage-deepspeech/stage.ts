import { kinds } from '../../schemas/kinds.ts';
import { defineStage } from '../../shared/pipeline/stage.ts';
import { ENGINE_NAMES } from './engine.ts';
import { explainUnspoken, parseLanguage } from './whisper/languages.ts';

/** Transcribes a clip word by word, with times in the source video. */
export default defineStage({
  name: 'stage-deepspeech',
  version: 2,
  consumes: kinds.speech,
  produces: [kinds.transcript, kinds.language],
  options: {
    speech: {
      type: 'string',
      enum: ENGINE_NAMES,
      default: 'auto',
      description:
        'speech recognition engine; auto: whisper if a model is installed (npm start or fave models pull downloads one), else pocketsphinx; openai: the service of FAVE_OPENAI_URL',
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
      parse: parseLanguage,
      description:
        'spoken language: a BCP 47 tag (pt-BR), an ISO 639 code (por) or a name (Portuguese); auto: detected once per request',
    },
    task: {
      type: 'string',
      enum: ['transcribe', 'translate'],
      default: 'transcribe',
      description: 'transcribe: in the spoken language; translate: to English, by Whisper models of several languages',
    },
  },
  checkOptions: ({ speech, language }) =>
    explainUnspoken(String(language), speech === 'pocketsphinx' ? 'pocketsphinx' : undefined),
  settings: {
    'whisper-model': {
      type: 'string',
      default: '',
      description: 'path or name of the Whisper model; empty: the preferred model of FAVE_MODELS; none: no Whisper',
    },
    'whisper-server': {
      type: 'string',
      default: '',
      isPrivate: true,
      description: 'path of whisper-server of whisper.cpp; empty: found on PATH; npm start builds and sets it',
    },
    models: { type: 'string', default: '', isPrivate: true, description: 'directories of models, separated by colons' },
    'openai-url': {
      type: 'string',
      default: '',
      description: 'address of an OpenAI-compatible service for speech=openai, such as https://host/v1',
    },
    'openai-key': { type: 'string', default: '', isPrivate: true, description: 'key of this service' },
    'openai-model': { type: 'string', default: 'whisper-1', description: 'model of this service' },
    'pocketsphinx-model': {
      type: 'string',
      default: '/usr/share/pocketsphinx/model/en-us',
      description: 'directory of the US English model of pocketsphinx; the default is that of Debian’s pocketsphinx-en-us',
    },
  },
  load: () => import('./run.ts'),
});
