import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PermanentError, RetryableError, messageOf } from '../../shared/core/errors.ts';

/** A ggml model of Whisper. Models whose names end in `.en` support English only, with fewer errors. */
export interface WhisperModel {
  readonly url: string;
  /** SHA-1 of the file, hexadecimal. */
  readonly sha1: string;
}

const HUB = 'https://huggingface.co/ggerganov/whisper.cpp/resolve/main';

/** Models and checksums from whisper.cpp's `models/README.md`; 75 MB (tiny) to 2.9 GB (large). */
export const MODELS: Readonly<Record<string, WhisperModel>> = Object.fromEntries(
  Object.entries({
    tiny: 'bd577a113a864445d4c299885e0cb97d4ba92b5f',
    'tiny.en': 'c78c86eb1a8faa21b369bcd33207cc90d64ae9df',
    base: '465707469ff3a37a2b9b8d8f89f2f99de7299dac',
    'base.en': '137c40403d78fd54d454da0f9bd998f78703390c',
    small: '55356645c2b361a969dfd0ef2c5a50d530afd8d5',
    'small.en': 'db8a495a91d927739e50b3fc1cc4c6b8f6c2d022',
    medium: 'fd9727b6e1217c2f614f9b698455c4ffd82463b4',
    'medium.en': '8c30f0e44ce9560643ebd10bbe50cd20eafd3723',
    'large-v1': 'b1caaf735c4cc1429223d5a74f0f4d0b9b59a299',
    'large-v2': '0f4c8e34f21cf1a914c59d8b3ce882345ad349d6',
    'large-v3': 'ad82bf6a9043ceed055076d0fd39f5f186ff8062',
  }).map(([name, sha1]) => [name, { url: `${HUB}/ggml-${name}.bin`, sha1 }]),
);

/**
 * Downloads a model into a directory, unless the directory contains it. The file gets its name when it is complete.
 * @returns The path, for `FAVE_WHISPER_MODEL`.
 * @throws PermanentError `unknown-model`, `wrong-checksum`; RetryableError `download-failed`.
 */
export async function pullModel(name: string, dir: string, fetch = globalThis.fetch, models = MODELS): Promise<string> {
  const model = Object.hasOwn(models, name) ? models[name] : undefined;
  if (!model)
    throw new PermanentError('unknown-model', `unknown whisper model "${name}"; available: ${Object.keys(models).join(', ')}`);
  const path = join(dir, `ggml-${name}.bin`);
  if ((await computeSha1(path)) === model.sha1) return path;
  await mkdir(dir, { recursive: true });
  // The name contains the process id, because another process may be downloading the same model.
  const part = `${path}.${String(process.pid)}.part`;
  try {
    const sha1 = await download(model.url, part, fetch);
    if (sha1 !== model.sha1)
      throw new PermanentError(
        'wrong-checksum',
        `${model.url} returned a file that is not the model "${name}": its SHA-1 is ${sha1}, expected ${model.sha1}`,
      );
    await rename(part, path);
  } finally {
    await rm(part, { force: true });
  }
  return path;
}

/** Streams a URL to a file, because a model can be larger than the memory limit. @returns The SHA-1 of the content. */
async function download(url: string, path: string, fetch: typeof globalThis.fetch): Promise<string> {
  const toError = (reason: string, cause?: unknown): RetryableError =>
    new RetryableError(
      'download-failed',
      `${url} cannot be downloaded: ${reason}; run the command again, or download the file with another program and set FAVE_WHISPER_MODEL to its path`,
      { cause },
    );
  const response = await fetch(url).catch((cause: unknown) => {
    throw toError(messageOf(cause), cause);
  });
  if (!response.ok || !response.body) throw toError(`the server returned status ${String(response.status)}`);
  const hash = createHash('sha1');
  const file = await open(path, 'w');
  try {
    for await (const chunk of response.body) {
      hash.update(chunk as Uint8Array);
      await file.writeFile(chunk as Uint8Array);
    }
  } catch (cause) {
    throw toError(messageOf(cause), cause);
  } finally {
    await file.close();
  }
  return hash.digest('hex');
}

/** Returns the SHA-1 of a file; undefined if the file does not exist. */
async function computeSha1(path: string): Promise<string | undefined> {
  const hash = createHash('sha1');
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
    return hash.digest('hex');
  } catch {
    return undefined;
  }
}
