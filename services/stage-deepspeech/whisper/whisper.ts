import { deflateSync } from 'node:zlib';
import { availableParallelism } from 'node:os';
import type { Language } from '../../../schemas/generated/types.ts';
import { PermanentError, messageOf } from '../../../shared/core/errors.ts';
import type { Exec } from '../../../shared/tools/exec.ts';
import {
  MIN_LANGUAGE_SECONDS,
  primaryLanguage,
  type DetectedLanguage,
  type SpokenWord,
  type TranscriptionEngine,
  type TranscriptionInput,
  type TranscriptionResult,
  type Utterance,
} from '../engine.ts';
import { LANGUAGES } from './languages.ts';
import type { Span } from '../voice-activity.ts';
import { readWindow } from '../window-audio.ts';
import { findSkipped, packWindows, type Window } from '../windows.ts';
import { describeModel } from './model.ts';
import { toUtterances, toWords, type VerboseJson } from './utterances.ts';
import { createWhisperServer, serverCommand, type WhisperServer } from './whisper-server.ts';

/** Frames of Whisper's encoder per second; 1500 are 30 s. */
const CONTEXT_PER_SECOND = 50;

/**
 * Windows up to this length, in seconds, are encoded with a shorter context, which takes a third of the time. A context of the window's
 * length makes more errors, and so does a shorter context for longer windows (docs/decisions/speech.md).
 */
const SHORT_SECONDS = 8;
const SHORT_CONTEXT = 10 * CONTEXT_PER_SECOND + 12;

/** Length of the speech from which the language is detected, in seconds. */
const LANGUAGE_SECONDS = 10;

/** Detections are shared by the request above this probability; a less certain clip keeps its own. */
const MIN_PROBABILITY = 0.5;

/** Text that compresses by more than this factor is a repetition loop, as in OpenAI's decoder. */
const MAX_COMPRESSION = 2.4;

/** The server's own retries are off, because their randomness depends on earlier requests. */
const DECODING = { response_format: 'verbose_json', max_context: '0', temperature_inc: '0' };

/** Temperature at which a loop is decoded again. */
const RETRY_TEMPERATURE = '0.4';

/**
 * Creates the engine of OpenAI's Whisper, run by whisper.cpp's server, which loads the model once per process.
 * @param modelPath Path of a ggml model.
 * @param program Path or name of `whisper-server`.
 * @throws PermanentError `no-whisper-model`, `whisper-unavailable`.
 */
export async function createWhisper(program: string, modelPath: string, exec: Exec): Promise<TranscriptionEngine> {
  const model = await describeModel(modelPath);
  const { command, prefix } = serverCommand(program);
  await exec(command, [...prefix, '--help'], { timeout: 10_000 }).catch((cause: unknown) => {
    const sentence = `${program} of whisper.cpp does not run (${messageOf(cause)}); npm start builds it`;
    throw new PermanentError('whisper-unavailable', sentence, { cause });
  });
  const server = createWhisperServer(program, model.path, Math.min(4, availableParallelism()), exec);
  return {
    name: 'whisper',
    version: 'whisper.cpp',
    model: model.name,
    modelVersion: model.sha1,
    transcribe: (input) => transcribe(server, model.isEnglish, input),
  };
}

async function transcribe(server: WhisperServer, isEnglish: boolean, input: TranscriptionInput): Promise<TranscriptionResult> {
  const { speech, probabilities, task, signal, shareLanguage } = input;
  const windows = packWindows(speech, probabilities);
  const [first] = windows;
  if (!first) return { language: null, utterances: [] };
  const detect = async (): Promise<DetectedLanguage> => {
    const duration = Math.min(first.duration, LANGUAGE_SECONDS);
    const detected = await detectLanguage(server, await readWindow(input, first, LANGUAGE_SECONDS), duration, signal);
    return { ...detected, isReliable: detected.probability >= MIN_PROBABILITY && duration >= MIN_LANGUAGE_SECONDS };
  };
  const { language, probability } = chooseLanguage(input.language, isEnglish) ?? (await shareLanguage(detect));
  const fields = { language, translate: String(task === 'translate') };
  const decode = async (window: Window): Promise<Utterance[]> => {
    const wav = await readWindow(input, window);
    const { words, recognised } = await decodeWords(server, wav, { ...fields, ...contextOf(window.duration) }, signal);
    const found = toUtterances(words, window);
    // A part in which nothing is recognised twice contains no speech.
    for (const part of findSkipped(recognised, window)) if (part.duration < window.duration) found.push(...(await decode(part)));
    return found.sort((a, b) => a.start - b.start);
  };
  const utterances: Utterance[] = [];
  for (const window of windows) utterances.push(...(await decode(window)));
  return { language: task === 'translate' ? 'en' : language, languageProbability: probability, utterances };
}

/** Returns the language that the request or the model determines; `undefined` if it must be detected. */
function chooseLanguage(language: string, isEnglish: boolean): Language | undefined {
  const primary = primaryLanguage(language);
  if (isEnglish && !['auto', 'en'].includes(primary))
    throw new PermanentError(
      'unsupported-language',
      `the Whisper model supports English only, not "${language}"; set FAVE_WHISPER_MODEL to a multilingual model such as base-q8_0, or omit the option language`,
    );
  if (isEnglish) return { language: 'en', probability: 1 };
  if (primary !== 'auto' && !LANGUAGES.has(primary))
    throw new PermanentError(
      'unsupported-language',
      `Whisper does not know the language "${language}"; correct or omit the option language`,
    );
  return primary === 'auto' ? undefined : { language: primary, probability: 1 };
}

async function detectLanguage(
  server: WhisperServer,
  wav: Uint8Array<ArrayBuffer>,
  duration: number,
  signal: AbortSignal,
): Promise<Language> {
  const fields = {
    ...contextOf(duration),
    response_format: 'verbose_json',
    detect_language: 'true',
    no_language_probabilities: 'false',
  };
  const { language_probabilities: probabilities = {} } = (await server.decode(wav, fields, signal)) as VerboseJson;
  const [best] = Object.entries(probabilities).sort(([, a], [, b]) => b - a);
  return best ? { language: best[0], probability: best[1] } : { language: 'en', probability: 0 };
}

/** Words of a window, and the spans in which the decoder recognised something. */
interface Decoded {
  readonly words: readonly SpokenWord[];
  readonly recognised: readonly Span[];
}

/** Decodes a window. A repetition loop is decoded again with randomness, and dropped if it repeats again. */
async function decodeWords(
  server: WhisperServer,
  wav: Uint8Array<ArrayBuffer>,
  fields: Record<string, string>,
  signal: AbortSignal,
): Promise<Decoded> {
  let recognised: readonly Span[] = [];
  for (const temperature of ['0', RETRY_TEMPERATURE]) {
    const json = (await server.decode(wav, { ...DECODING, temperature, ...fields }, signal)) as VerboseJson;
    recognised = json.segments ?? [];
    const words = toWords(json);
    if (computeCompression(words.map(({ text }) => text).join(' ')) <= MAX_COMPRESSION) return { words, recognised };
  }
  return { words: [], recognised };
}

/** Returns the size of a text divided by its compressed size, as OpenAI's decoder does to find loops. Short texts do not compress. */
export function computeCompression(text: string): number {
  const bytes = Buffer.from(text);
  return bytes.length / deflateSync(bytes).length;
}

function contextOf(seconds: number): Record<string, string> {
  return seconds <= SHORT_SECONDS ? { audio_ctx: String(SHORT_CONTEXT) } : {};
}
