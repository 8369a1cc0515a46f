import type { Exec } from '../../shared/tools/exec.ts';
import type { Span } from './voice-activity.ts';

/** Values of the option `speech`. */
export const ENGINE_NAMES = ['auto', 'whisper', 'pocketsphinx', 'none'] as const;

export type EngineName = (typeof ENGINE_NAMES)[number];

/** One spoken word. Seconds from the clip's beginning. */
export interface SpokenWord {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** How sure the engine is, 0 to 1. */
  readonly confidence: number;
}

/** Words said without a longer pause. Seconds from the clip's beginning. */
export interface Utterance {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly words: readonly SpokenWord[];
}

/** What an engine heard. */
export interface TranscriptionResult {
  /** BCP 47; null where nothing was heard. */
  readonly language: string | null;
  readonly utterances: readonly Utterance[];
}

/** A clip's sound, and what an engine may use to hear it. */
export interface TranscriptionInput {
  /** Path of a WAV file: PCM s16le, mono, 16 000 Hz. */
  readonly wav: string;
  /** Bytes before its first sample. */
  readonly header: number;
  /** Where something is to be heard at all. */
  readonly speech: readonly Span[];
  /** BCP 47, or `auto`. */
  readonly language: string;
  readonly exec: Exec;
  /** A directory for the engine's own files. */
  readonly dir: string;
}

/** Speech to text, whoever does it. */
export interface TranscriptionEngine {
  readonly name: 'whisper' | 'pocketsphinx' | 'none';
  /** Of the program. */
  readonly version: string;
  readonly model: string | null;
  /** Identifies the model's content. */
  readonly modelVersion?: string;
  transcribe(listening: TranscriptionInput): Promise<TranscriptionResult>;
}

/** Hears nothing: for those who want no transcript, and for silence. */
export const nullEngine: TranscriptionEngine = {
  name: 'none',
  version: '1',
  model: null,
  transcribe: () => Promise.resolve({ language: null, utterances: [] }),
};
