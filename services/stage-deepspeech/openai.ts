import { setTimeout as sleep } from 'node:timers/promises';
import { PermanentError, RetryableError, messageOf } from '../../shared/core/errors.ts';
import {
  inSharedLanguage,
  type TranscriptionEngine,
  type TranscriptionInput,
  type TranscriptionResult,
  type Utterance,
} from './engine.ts';
import { packWindows } from './windows.ts';
import { readWindow } from './window-audio.ts';
import { parseLanguage } from './whisper/languages.ts';
import { toUtterances } from './whisper/utterances.ts';

/** An OpenAI-compatible service. */
export interface OpenaiService {
  /** Such as `https://host/v1`. */
  readonly url: string;
  readonly key: string;
  readonly model: string;
}

/** Used parts of the `verbose_json` of the service. Times are seconds of the audio. */
interface Transcription {
  /** A code or an English name. */
  readonly language?: string;
  readonly words?: readonly { readonly word: string; readonly start: number; readonly end: number }[];
  /** Segments, for services without times of words. */
  readonly segments?: readonly { readonly text: string; readonly start: number; readonly end: number }[];
}

/** Creates the engine of a service with the endpoint `/audio/transcriptions` (https://platform.openai.com/docs/api-reference/audio). */
export function createOpenai(service: OpenaiService): TranscriptionEngine {
  if (service.url === '')
    throw new PermanentError(
      'no-speech-engine',
      'the request selects openai, but FAVE_OPENAI_URL is not set; set it, or omit the option speech',
    );
  return {
    name: 'openai',
    version: new URL(service.url).host,
    model: service.model,
    transcribe: (input) => inSharedLanguage(input, (language) => transcribe(service, { ...input, language })),
  };
}

async function transcribe(service: OpenaiService, input: TranscriptionInput): Promise<TranscriptionResult> {
  const utterances: Utterance[] = [];
  let language: string | null = null;
  for (const window of packWindows(input.speech, input.probabilities)) {
    const transcription = await request(service, await readWindow(input, window), input);
    language ??= toCode(transcription.language);
    const spoken = toSpoken(transcription).map(({ text, start, end }) => ({ text: text.trim(), start, end, confidence: 1 }));
    utterances.push(...toUtterances(spoken, window));
  }
  return { language, utterances };
}

function toSpoken({ words, segments }: Transcription): { text: string; start: number; end: number }[] {
  if (words && words.length > 0) return words.map(({ word, start, end }) => ({ text: word, start, end }));
  if (segments) return [...segments];
  throw new PermanentError('speech-service-refused', 'the speech service returned no times: it must support verbose_json');
}

/** Returns the code of a language that the service states as a code or a name. */
function toCode(language: string | undefined): string | null {
  return language === undefined ? null : (parseLanguage(language).value ?? null);
}

/** Maximum time to wait if the service demands it, in seconds. After that the item is redelivered. */
const MAX_WAIT_SECONDS = 60;

/** Transcribes audio. While the service states how long to wait, the request is repeated, until the deadline of the item. */
async function request(
  service: OpenaiService,
  wav: Uint8Array<ArrayBuffer>,
  input: Pick<TranscriptionInput, 'language' | 'task' | 'signal'>,
): Promise<Transcription> {
  const { url, key, model } = service;
  const { language, task, signal } = input;
  const form = new FormData();
  form.set('file', new Blob([wav], { type: 'audio/wav' }), 'speech.wav');
  form.set('model', model);
  form.set('response_format', 'verbose_json');
  form.append('timestamp_granularities[]', 'word');
  if (language !== 'auto') form.set('language', language.split('-')[0] ?? language);
  const path = task === 'translate' ? 'audio/translations' : 'audio/transcriptions';
  const headers = new Headers(key === '' ? [] : [['authorization', `Bearer ${key}`]]);
  const response = await fetch(`${url.replace(/\/$/, '')}/${path}`, { method: 'POST', body: form, headers, signal }).catch(
    (cause: unknown) => {
      signal.throwIfAborted();
      throw new RetryableError('speech-service-failed', `the speech service ${url} does not answer (${messageOf(cause)})`, {
        cause,
      });
    },
  );
  const text = await response.text();
  if (response.ok) return JSON.parse(text) as Transcription;
  const sentence = `the speech service ${url} answered ${response.status}: ${text.slice(0, 200)}`;
  const wait = Number(response.headers.get('retry-after') ?? Infinity);
  if (response.status === 429 && wait <= MAX_WAIT_SECONDS) {
    await sleep(wait * 1_000, undefined, { signal });
    return request(service, wav, input);
  }
  if (response.status === 429 || response.status >= 500) throw new RetryableError('speech-service-failed', sentence);
  throw new PermanentError('speech-service-refused', `${sentence}; check FAVE_OPENAI_URL, FAVE_OPENAI_KEY and FAVE_OPENAI_MODEL`);
}
