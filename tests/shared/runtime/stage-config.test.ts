import { expect, it } from 'vitest';
import stage from '../../../services/stage-deepspeech/stage.ts';
import { stageConfig } from '../../../shared/runtime/attempt/start-attempt.ts';

it('omits private settings from the configuration that receipts state', () => {
  const settings = { 'openai-key': 'secret', 'openai-model': 'large', 'whisper-server': '/home/me/whisper-server' };
  const config = stageConfig({ language: 'en' }, settings, stage.settings);
  expect(config.values).toEqual({ language: 'en', 'openai-model': 'large' });
  expect(stageConfig({ language: 'en' }, { ...settings, 'openai-key': 'other' }, stage.settings)).toEqual(config);
});
