import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PermanentError } from '../../../shared/core/errors.ts';
import type { Exec } from '../../../shared/tools/exec.ts';
import {
  inSharedLanguage,
  primaryLanguage,
  type TranscriptionEngine,
  type TranscriptionInput,
  type TranscriptionResult,
  type Utterance,
} from '../engine.ts';
import type { Span } from '../voice-activity.ts';
import { describeModel } from '../whisper/model.ts';
import { parseWhisperJson } from './whisper-json.ts';
import { buildWhisper, runWhisper, whisperNodeDir, whisperNodeVersion } from './package.ts';

/**
 * Creates the engine of the package whisper-node: OpenAI's Whisper, run by the whisper.cpp of the package, which loads the model for each clip.
 * @param modelPath Path of a ggml model, as downloaded by `fave models pull`.
 * @param onBuild Called before whisper.cpp is built, which takes half a minute and happens once.
 * @throws PermanentError `no-whisper-model`, `whisper-unavailable`
 */
export async function createWhisperNode(
  modelPath: string,
  exec: Exec,
  onBuild: () => void,
  packageDir = whisperNodeDir(),
): Promise<TranscriptionEngine> {
  const model = await describeModel(modelPath);
  const version = await whisperNodeVersion(packageDir);
  await buildWhisper(packageDir, exec, onBuild);
  return {
    name: 'whisper-node',
    version,
    model: model.name,
    modelVersion: model.sha1,
    transcribe: (input) => inSharedLanguage(input, (language) => transcribe(packageDir, model.path, { ...input, language })),
  };
}

async function transcribe(
  packageDir: string,
  model: string,
  { wav, speech, language, exec, dir }: TranscriptionInput,
): Promise<TranscriptionResult> {
  const output = join(dir, 'whisper');
  await runWhisper(exec, packageDir, whisperArgs(model, resolve(wav), language, output));
  const json = await readFile(`${output}.json`).catch((cause: unknown) => {
    // It exits with 0 after an unknown language and an unreadable audio file.
    throw new PermanentError(
      'tool-failed',
      `whisper.cpp wrote no transcript; check that it supports the language "${language}"`,
      {
        cause,
      },
    );
  });
  const { utterances, ...result } = parseWhisperJson(json);
  return { ...result, utterances: utterances.filter((utterance) => speech.some((span) => overlap(span, utterance))) };
}

/** Returns the arguments of whisper.cpp's `main`, which supports languages without regions. */
export function whisperArgs(model: string, wav: string, language: string, output: string): string[] {
  return ['-m', model, '-f', wav, '-l', primaryLanguage(language), '-ojf', '-of', output];
}

/** Whisper recognises "Thank you." in silence, so utterances outside the spans of {@link findSpeech} are dropped. */
function overlap(span: Span, { start, end }: Utterance): boolean {
  return start < span.end && end > span.start;
}
