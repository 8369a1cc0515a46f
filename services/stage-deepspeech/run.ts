import { kinds } from '../../schemas/kinds.ts';
import { toClipWindow } from '../../shared/media/clip-window.ts';
import type { Item, StageContext, StageSetup } from '../../shared/pipeline/stage.ts';
import { nullEngine, type EngineName } from './engine.ts';
import { createEngines, type Engines } from './engines.ts';
import { toTranscript } from './transcript.ts';
import { findSpeech, readLevels } from './voice-activity.ts';

type Options = { readonly speech: EngineName; readonly language: string };
type Settings = { readonly 'whisper-model': string; readonly 'pocketsphinx-model': string };

export function start({ settings, log, exec }: StageSetup<Settings>): Promise<Engines> {
  return Promise.resolve(
    createEngines({ whisperModel: settings['whisper-model'], sphinxModel: settings['pocketsphinx-model'] }, log, exec),
  );
}

export async function run(
  clip: Item,
  { options, resource: engines, exec, log, outputs, dir, recordModel }: StageContext<Options, Settings, Engines>,
): Promise<void> {
  const window = toClipWindow(clip);
  const wav = await clip.file();
  const { header, levels } = await readLevels(wav);
  const speech = findSpeech(levels);

  const engine = speech.length > 0 ? await engines[options.speech]() : nullEngine;
  const result = await engine.transcribe({ wav, header, speech, language: options.language, exec, dir });
  const transcript = toTranscript(engine, result, window);

  recordModel(engine.name, engine.version);
  if (engine.model !== null) recordModel(`${engine.name}:${engine.model}`, engine.modelVersion ?? 'unknown');
  log.info(
    { event: 'speech:transcribed', engine: engine.name, model: engine.model, utterances: transcript.utterances.length },
    'transcribed',
  );
  await outputs.json(kinds.transcript, transcript);
}
