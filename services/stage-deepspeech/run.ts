import { kinds } from '../../schemas/kinds.ts';
import { toClipWindow } from '../../shared/media/clip-window.ts';
import type { Item, StageContext, StageSetup } from '../../shared/pipeline/stage.ts';
import { nullEngine, type EngineName } from './engine.ts';
import { createEngines, once, type Engines } from './engines.ts';
import { toTranscript } from './transcript.ts';
import { findSpeech, readLevels } from './voice-activity.ts';
import { createVoiceEncoder, type VoiceEncoder } from './speakers/voice-encoder.ts';
import { addVoices } from './speakers/voices.ts';

type Options = { readonly speech: EngineName; readonly speakers: 'auto' | 'none'; readonly language: string };
type Settings = {
  readonly 'whisper-model': string;
  readonly 'whisper-server': string;
  readonly models: string;
  readonly 'pocketsphinx-model': string;
};

/** Programs and models of this process. Each is loaded on its first use. */
interface Resource {
  readonly engines: Engines;
  readonly voiceEncoder: () => Promise<VoiceEncoder>;
}

export function start({ settings, log, exec }: StageSetup<Settings>): Promise<Resource> {
  const models = {
    whisperModel: settings['whisper-model'],
    models: settings.models,
    sphinxModel: settings['pocketsphinx-model'],
  };
  return Promise.resolve({ engines: createEngines(models, log, exec), voiceEncoder: once(createVoiceEncoder) });
}

export async function run(
  clip: Item,
  {
    options,
    resource: { engines, voiceEncoder },
    exec,
    log,
    outputs,
    dir,
    recordModel,
  }: StageContext<Options, Settings, Resource>,
): Promise<void> {
  const window = toClipWindow(clip);
  const wav = await clip.file();
  const { header, levels } = await readLevels(wav);
  const speech = findSpeech(levels);

  const engine = speech.length > 0 ? await engines[options.speech]() : nullEngine;
  const result = await engine.transcribe({ wav, header, speech, language: options.language, exec, dir });
  let { utterances } = result;
  if (options.speakers !== 'none' && utterances.length > 0) {
    const encoder = await voiceEncoder();
    utterances = await addVoices(utterances, wav, encoder);
    recordModel(encoder.name, encoder.version);
  }
  const transcript = toTranscript(engine, { ...result, utterances }, window);

  recordModel(engine.name, engine.version);
  if (engine.model !== null) recordModel(`${engine.name}:${engine.model}`, engine.modelVersion ?? 'unknown');
  log.info(
    { event: 'speech:transcribed', engine: engine.name, model: engine.model, utterances: transcript.utterances.length },
    'transcribed',
  );
  await outputs.json(kinds.transcript, transcript);
}
