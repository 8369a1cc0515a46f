import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Frames, Media } from '../../schemas/generated/types.ts';
import { kinds } from '../../schemas/kinds.ts';
import { toClipWindow } from '../../shared/media/clip-window.ts';
import { probe } from '../../shared/media/probe.ts';
import type { Item, StageContext } from '../../shared/pipeline/stage.ts';
import { pictureArgs } from './args.ts';
import { parsePosition, toPosition, toSampling } from './sampling.ts';

type Options = { readonly interval: number };

export async function run(clip: Item, { options, exec, outputs, log, dir }: StageContext<Options>): Promise<void> {
  const { interval } = options;
  const { video } = (await (await clip.sibling(kinds.media)).json()) as Media;
  if (!video) return;
  const { start, end, ...part } = toClipWindow(clip);
  const path = await clip.file();
  const sampling = toSampling(video.fps, interval);
  const target = join(dir, 'video.mp4');
  const positions: number[] = [];
  try {
    const pictures = { fps: video.fps, sampling };
    await exec('ffmpeg', pictureArgs(path, part, pictures, target, join(dir, 'frame_%04d.jpg')), {
      onLine: (line) => {
        const position = parsePosition(line);
        if (position !== undefined) positions.push(position);
      },
    });
  } catch (error) {
    // A copy can have a video track without packets, which ffmpeg cannot decode.
    if ((await probe(exec, path, '-count_packets')).video) throw error;
    return;
  }

  const files = (await readdir(dir)).filter((name) => /^frame_\d{4}\.jpg$/.test(name)).sort();
  // A stream whose packets are all damaged has no frames.
  if (files.length === 0) {
    log.warn({ event: 'item:video-undecodable', clip: clip.id }, 'no frame of this clip could be decoded');
    return;
  }
  const [width, height] = [toEven(video.width), toEven(video.height)];
  const frames: Frames['frames'] = [];
  for (const [n, file] of files.entries()) {
    const { time, reason } = toPosition(positions[n] ?? 0, sampling);
    const { sha256 } = await outputs.file(kinds.frame, join(dir, file), { indices: { ...clip.indices, frame: n + 1 } });
    frames.push({ file, sha256, time: Math.round((start + time) * 1000) / 1000, reason, width, height });
  }
  // The detector waits for the frames, and no stage for the video.
  await outputs.json(kinds.frames, { start, end, interval, frames });
  await outputs.file(kinds.video, target);
}

function toEven(side: number): number {
  return 2 * Math.ceil(side / 2);
}
