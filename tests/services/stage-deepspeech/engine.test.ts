import { expect, it, vi } from 'vitest';
import { inSharedLanguage, type DetectedLanguage, type TranscriptionResult } from '../../../services/stage-deepspeech/engine.ts';

const result = (language: string | null): TranscriptionResult => ({ language, utterances: [] });
const speech = [{ start: 0, end: 5 }];

it('transcribes once in a given language', async () => {
  const transcribe = vi.fn(() => Promise.resolve(result('de')));
  const shareLanguage = vi.fn();
  expect(await inSharedLanguage({ language: 'de', speech, shareLanguage }, transcribe)).toEqual(result('de'));
  expect(transcribe.mock.calls).toEqual([['de']]);
  expect(shareLanguage).not.toHaveBeenCalled();
});

it.each([
  ['transcribes once if the clip determines the language', 'de', undefined, ['auto'], 'de'],
  ['transcribes once if no language is recognised', null, undefined, ['auto'], null],
  ['transcribes in the stored language', 'de', 'en', ['en'], 'en'],
])('%s', async (_, own, stored, calls, language) => {
  const transcribe = vi.fn((asked: string) => Promise.resolve(result(asked === 'auto' ? own : asked)));
  const shareLanguage = async (detect: () => Promise<DetectedLanguage>) =>
    stored === undefined ? await detect() : { language: stored, probability: 1 };
  expect(await inSharedLanguage({ language: 'auto', speech, shareLanguage }, transcribe)).toEqual(result(language));
  expect(transcribe.mock.calls.flat()).toEqual(calls);
});

it('transcribes again if another clip determined the language meanwhile', async () => {
  const transcribe = vi.fn((asked: string) => Promise.resolve(result(asked === 'auto' ? 'nl' : asked)));
  const shareLanguage = async (detect: () => Promise<DetectedLanguage>) => {
    expect(await detect()).toEqual({ language: 'nl', probability: 1, isReliable: true });
    return { language: 'de', probability: 0.9 };
  };
  expect(await inSharedLanguage({ language: 'auto', speech, shareLanguage }, transcribe)).toEqual(result('de'));
});

it('does not share the language of a short speech', async () => {
  const transcribe = (): Promise<TranscriptionResult> => Promise.resolve(result('nl'));
  const shareLanguage = async (detect: () => Promise<DetectedLanguage>) => {
    const detected = await detect();
    expect(detected.isReliable).toBe(false);
    return detected;
  };
  await inSharedLanguage({ language: 'auto', speech: [{ start: 0, end: 1 }], shareLanguage }, transcribe);
});
