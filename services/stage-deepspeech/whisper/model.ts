import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { PermanentError, messageOf } from '../../../shared/core/errors.ts';

/** First bytes of a model file: `ggml`, as a little-endian number. */
const MAGIC = 'lmgg';

/** A ggml model of Whisper. */
export interface WhisperModel {
  /** Absolute. */
  readonly path: string;
  /** Such as `base-q8_0`. */
  readonly name: string;
  /** Whether the model supports English only. */
  readonly isEnglish: boolean;
  readonly sha1: string;
}

/** Reads a model file. @throws PermanentError `no-whisper-model` if it cannot be read or has another format. */
export async function describeModel(file: string): Promise<WhisperModel> {
  const path = resolve(file);
  const name = basename(path).replace(/^ggml-|\.bin$/g, '');
  return { path, name, isEnglish: /\.en\b/.test(name), sha1: await identify(path) };
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
