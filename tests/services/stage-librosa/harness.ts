import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { onTestFinished } from 'vitest';
import type { Clip } from '../../../services/stage-librosa/clips.ts';
import { run } from '../../../services/stage-librosa/run.ts';
import type { Item, Outputs, StageContext } from '../../../shared/pipeline/stage.ts';

export interface Segments {
  readonly segmentation: 'silence' | 'fave';
  readonly top_db: number | null;
  readonly duration: number;
  readonly clips: readonly Clip[];
}

type Context = Parameters<typeof run>[1];

const schema = JSON.parse(
  await readFile(new URL('../../../schemas/artifacts/segments.schema.json', import.meta.url), 'utf8'),
) as object;
const isValid = new Ajv({ allErrors: true }).compile<Segments>(schema);

/** Runs the stage on a local file and returns the artifact that it put, which satisfies its schema. */
export async function runStage(
  path: string,
  segmentation: Segments['segmentation'] = 'silence',
  signal?: AbortSignal,
): Promise<Segments> {
  const put: object[] = [];
  const item: Partial<Item> = { file: () => Promise.resolve(path) };
  const outputs: Partial<Outputs> = { json: (_kind, value) => Promise.resolve({ sha256: '', size: put.push(value) }) };
  const context: Partial<StageContext<unknown, unknown, unknown>> = {
    options: { segmentation },
    outputs: outputs as Outputs,
    signal: signal ?? new AbortController().signal,
  };
  await run(item as Item, context as Context);
  const [segments] = put;
  if (put.length !== 1 || !isValid(segments)) throw new Error(`invalid segments: ${JSON.stringify(isValid.errors)}`);
  return segments;
}

/** A chunk of a RIFF file; `size` may lie. */
export function chunk(id: string, content: Uint8Array, size = content.length): Buffer {
  const header = Buffer.alloc(8);
  header.write(id, 'latin1');
  header.writeUInt32LE(size, 4);
  return Buffer.concat([header, content, Buffer.alloc(content.length % 2)]);
}

/** The format chunk of PCM, mono, 22 050 Hz, 16 bits unless told otherwise. */
export function format({ channels = 1, rate = 22_050, bits = 16 } = {}): Buffer {
  const content = Buffer.alloc(16);
  content.writeUInt16LE(1, 0);
  content.writeUInt16LE(channels, 2);
  content.writeUInt32LE(rate, 4);
  content.writeUInt32LE((rate * channels * bits) / 8, 8);
  content.writeUInt16LE((channels * bits) / 8, 12);
  content.writeUInt16LE(bits, 14);
  return chunk('fmt ', content);
}

export function wav(...chunks: Buffer[]): Buffer {
  return chunk('RIFF', Buffer.concat([Buffer.from('WAVE'), ...chunks]));
}

/** Samples as bytes, s16le. */
export function bytesOf(samples: Int16Array): Buffer {
  return Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
}

/** Writes a file that lives as long as the running test. */
export async function temporary(content: Buffer): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'fave-librosa-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const path = join(directory, 'audio.wav');
  await writeFile(path, content);
  return path;
}

/** A WAV file of these samples, as long as the running test. */
export function wavFile(samples: Int16Array): Promise<string> {
  return temporary(wav(format(), chunk('data', bytesOf(samples))));
}
