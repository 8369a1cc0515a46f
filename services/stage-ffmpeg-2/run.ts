import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Batch } from '../../schemas/generated/types.ts';
import { kinds } from '../../schemas/kinds.ts';
import { fitWav, WAV_HEADER_BYTES } from '../../shared/media/wav.ts';
import type { Item, StageContext } from '../../shared/pipeline/stage.ts';
import { RATE, resampleArgs } from './args.ts';

export async function run(batch: Item, { exec, outputs, dir }: StageContext): Promise<void> {
  const { first, clips } = (await batch.json()) as Batch;
  const audio = await batch.sibling(kinds.audio);
  const samples = join(dir, 'samples.raw');
  const part = partOf(clips);
  await exec('ffmpeg', resampleArgs(await audio.file(), part, samples));

  for (const [n, { start, end }] of clips.entries()) {
    const clip = first + n;
    const path = join(dir, `clip_${clip}.wav`);
    await cut(samples, start - part.start, end - part.start, path);
    await outputs.file(kinds.speech, path, { indices: { clip }, attributes: { start, end } });
    await rm(path);
  }
}

/** Returns the part of the audio that contains the clips, in whole seconds, and a second before it for the resampler. */
function partOf(clips: Batch['clips']): { start: number; duration: number } {
  const start = Math.max(0, Math.floor(clips[0].start) - 1);
  return { start, duration: Math.ceil((clips.at(-1)?.end ?? start) - start) + 1 };
}

/** Writes samples from `start` to `end` (seconds) as a WAV file of exactly this length. */
async function cut(samples: string, start: number, end: number, path: string): Promise<void> {
  const first = Math.round(start * RATE);
  const count = Math.max(1, Math.round((end - start) * RATE));
  const part = createReadStream(samples, { start: 2 * first, end: 2 * (first + count) - 1 });
  await pipeline(part, createWriteStream(path, { start: WAV_HEADER_BYTES, flags: 'w' }));
  await fitWav(path, { rate: RATE, samples: count });
}
