import type { Language } from '../../schemas/generated/types.ts';
import { kinds } from '../../schemas/kinds.ts';
import { toClipWindow } from '../../shared/media/clip-window.ts';
import type { Item, StageContext, StageSetup } from '../../shared/pipeline/stage.ts';
import { nullEngine, type DetectedLanguage, type EngineName } from './engine.ts';
import { createEngines, once, type Engines, type EngineSettings } from './engines.ts';
import { toTranscript } from './transcript.ts';
import { createSpeechDetector, detectSpeech, type SpeechDetector } from './voice-activity.ts';
import { createVoiceEncoder, type VoiceEncoder } from './speakers/voice-encoder.ts';
import { addVoices } from './speakers/voices.ts';

type Options = {
  readonly speech: EngineName;
  readonly speakers: 'auto' | 'none';
  readonly language: string;
  readonly task: 'transcribe' | 'translate';
};

/** Programs and models of this process. Each is loaded on its first use. */
interface Resource {
  readonly engines: Engines;
  readonly speechDetector: () => Promise<SpeechDetector>;
  readonly voiceEncoder: () => Promise<VoiceEncoder>;
}

export function start({ settings, log, exec }: StageSetup<EngineSettings>): Promise<Resource> {
  return Promise.resolve({
    engines: createEngines(settings, log, exec),
    speechDetector: once(createSpeechDetector),
    voiceEncoder: once(createVoiceEncoder),
  });
}

export async function run(clip: Item, context: StageContext<Options, EngineSettings, Resource>): Promise<void> {
  const { options, resource, exec, log, outputs, dir, signal, recordModel } = context;
  const window = toClipWindow(clip);
  if (options.speech === 'none') {
    recordModel(nullEngine.name, nullEngine.version);
    await outputs.json(kinds.transcript, toTranscript(nullEngine, { language: null, utterances: [] }, window));
    return;
  }
  const wav = await clip.file();
  const detector = await resource.speechDetector();
  const { header, probabilities, speech } = await detectSpeech(wav, detector);
  recordModel(detector.name, detector.version);

  const engine = speech.length > 0 ? await resource.engines[options.speech]() : nullEngine;
  const result = await engine.transcribe({
    ...{ wav, header, speech, probabilities, exec, dir, signal },
    language: options.language,
    task: options.task,
    shareLanguage: (detect) => shareLanguage(outputs, detect),
  });
  let { utterances } = result;
  if (options.speakers !== 'none' && utterances.length > 0) {
    const encoder = await resource.voiceEncoder();
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

/** Returns the language of the request. The first clip with enough speech determines it, so that all clips have one language. */
async function shareLanguage(outputs: StageContext['outputs'], detect: () => Promise<DetectedLanguage>): Promise<Language> {
  let detected: DetectedLanguage | undefined;
  const shared = await outputs.shared(kinds.language, async () => {
    detected = await detect();
    return detected.isReliable ? { language: detected.language, probability: detected.probability } : undefined;
  });
  return (shared as Language | undefined) ?? detected ?? (await detect());
}
