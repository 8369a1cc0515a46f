import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Segments } from '../../schemas/generated/types.ts';
import { kinds } from '../../schemas/kinds.ts';
import { fitWav, WAV_HEADER_BYTES } from '../../shared/media/wav.ts';
import type { Item, StageContext } from '../../shared/pipeline/stage.ts';
import { RATE, resampleArgs } from './args.ts';

export async function run(segments: Item, { exec, outputs, dir }: StageContext): Promise<void> {
  const { clips } = (await segments.json()) as Segments;
  const audio = await segments.sibling(kinds.audio);
  const samples = join(dir, 'samples.raw');
  await exec('ffmpeg', resampleArgs(await audio.file(), samples));

  for (const [n, { start, end }] of clips.entries()) {
    const clip = n + 1;
    const path = join(dir, `clip_${clip}.wav`);
    await cut(samples, start, end, path);
    await outputs.file(kinds.speech, path, { indices: { clip }, attributes: { start, end } });
    await rm(path);
  }
}

/** Writes samples from `start` to `end` (seconds) as a WAV file of exactly this length. */
async function cut(samples: string, start: number, end: number, path: string): Promise<void> {
  const first = Math.round(start * RATE);
  const count = Math.max(1, Math.round((end - start) * RATE));
  const part = createReadStream(samples, { start: 2 * first, end: 2 * (first + count) - 1 });
  await pipeline(part, createWriteStream(path, { start: WAV_HEADER_BYTES, flags: 'w' }));
  await fitWav(path, { rate: RATE, samples: count });
}
