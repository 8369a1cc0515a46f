import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Transcript } from '../../../schemas/generated/types.ts';
import { kinds } from '../../../schemas/kinds.ts';
import stage from '../../../services/stage-deepspeech/stage.ts';
import { generateMedia, mediaFolder, samplesOf } from '../../support/media.ts';
import { runStageLocally, type RunOptions, type Ran } from '../../support/stage-harness.ts';

/** A part of a medium as stage-ffmpeg-2 makes it. Seconds. */
export function detectSpeech(name: string, path: string, start?: number, end?: number): string {
  const cut = [...(start === undefined ? [] : ['-ss', `${start}`]), ...(end === undefined ? [] : ['-to', `${end}`])];
  return generateMedia(name, ...cut, '-i', path, '-vn', '-ac', '1', '-ar', '16000', '-c:a', 'pcm_s16le');
}

/** Runs the stage on a WAV file that begins at `start` in its source. */
export async function transcribe(path: string, start = 0, given: RunOptions = {}): Promise<{ transcript: Transcript; ran: Ran }> {
  const end = start + samplesOf(path, 16_000).length / 16_000;
  const ran = await runStageLocally(stage, { kind: kinds.speech, path, indices: { clip: 1 }, attributes: { start, end } }, given);
  return { transcript: await ran.json<Transcript>(kinds.transcript), ran };
}

/** A WAV header and so many samples, with what a test wants to be wrong. */
export function wavFile(samples: Int16Array, { channels = 1, rate = 16_000, bits = 16, size = samples.byteLength } = {}): Buffer {
  const header = Buffer.alloc(44);
  header.write('RIFF....WAVEfmt ', 'latin1');
  header.writeUInt32LE(36 + samples.byteLength, 4);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE((rate * channels * bits) / 8, 28);
  header.writeUInt16LE((channels * bits) / 8, 32);
  header.writeUInt16LE(bits, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(size, 40);
  return Buffer.concat([header, Buffer.from(samples.buffer)]);
}

export function writeWav(name: string, content: string | Buffer): string {
  const path = join(mediaFolder(), name);
  writeFileSync(path, content);
  return path;
}
