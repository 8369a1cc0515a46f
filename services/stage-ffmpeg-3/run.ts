import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Frames } from '../../schemas/generated/types.ts';
import { kinds } from '../../schemas/kinds.ts';
import { PermanentError } from '../../shared/core/errors.ts';
import { toClipWindow } from '../../shared/media/clip-window.ts';
import { probe } from '../../shared/media/probe.ts';
import type { Item, StageContext } from '../../shared/pipeline/stage.ts';
import { frameArgs } from './args.ts';

type Options = { readonly interval: number };

export async function run(clip: Item, { options: { interval }, exec, outputs, dir }: StageContext<Options>): Promise<void> {
  const { start, end } = toClipWindow(clip);
  const path = await clip.file();
  const { video } = await probe(exec, path);
  if (!video) throw new PermanentError('no-frames', `"${clip.name}" has no video stream, so it has no frames`);
  await exec('ffmpeg', frameArgs(path, interval, join(dir, 'frame_%04d.jpg')));

  const files = (await readdir(dir)).filter((name) => /^frame_\d{4}\.jpg$/.test(name)).sort();
  if (files.length === 0) throw new PermanentError('no-frames', `no frame of "${clip.name}" can be decoded`);
  const { width, height } = video;
  const frames: Frames['frames'] = [];
  for (const [n, file] of files.entries()) {
    const { sha256 } = await outputs.file(kinds.frame, join(dir, file), { indices: { ...clip.indices, frame: n + 1 } });
    frames.push({ file, sha256, time: Math.round((start + n * interval) * 1000) / 1000, width, height });
  }
  await outputs.json(kinds.frames, { start, end, interval, frames });
}
