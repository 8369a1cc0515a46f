import type { Exec } from '../../shared/tools/exec.ts';
import type { Span } from './voice-activity.ts';

/** Values of the option `speech`. */
export const ENGINE_NAMES = ['auto', 'whisper', 'pocketsphinx', 'none'] as const;

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
  readonly utterances: readonly Utterance[];
}

/** Input of an engine. */
export interface TranscriptionInput {
  /** Path of a WAV file: PCM s16le, mono, 16 000 Hz. */
  readonly wav: string;
  /** Size of the header of the file, in bytes. */
  readonly header: number;
  /** Parts of the clip that can contain speech. */
  readonly speech: readonly Span[];
  /** BCP 47, or `auto`. */
  readonly language: string;
  readonly exec: Exec;
  /** Directory for temporary files. */
  readonly dir: string;
}

/** A speech recognition engine. */
export interface TranscriptionEngine {
  readonly name: 'whisper' | 'pocketsphinx' | 'none';
  /** Version of the program. */
  readonly version: string;
  readonly model: string | null;
  /** Checksum of the model. */
  readonly modelVersion?: string;
  transcribe(input: TranscriptionInput): Promise<TranscriptionResult>;
}

/** An engine that recognises nothing, for the option `speech=none` and for silence. */
export const nullEngine: TranscriptionEngine = {
  name: 'none',
  version: '1',
  model: null,
  transcribe: () => Promise.resolve({ language: null, utterances: [] }),
};
