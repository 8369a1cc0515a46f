import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Frames } from '../../schemas/generated/types.ts';
import { kinds } from '../../schemas/kinds.ts';
import { PermanentError } from '../../shared/core/errors.ts';
import { probe } from '../../shared/media/probe.ts';
import { windowOf } from '../../shared/media/clip-window.ts';
import { defineStage } from '../../shared/pipeline/stage.ts';
import { frameArgs } from './args.ts';

/** Still frames of a clip: one every `interval` seconds, at least one, upright. */
export default defineStage({
  name: 'stage-ffmpeg-3',
  version: 1,
  consumes: kinds.video,
  produces: [kinds.frame, kinds.frames],
  options: { interval: { type: 'number', minimum: 0.04, maximum: 3600, default: 5, description: 'seconds between frames' } },

  async run(clip, { options: { interval }, exec, outputs, dir }) {
    const { start, end } = windowOf(clip);
    const path = await clip.file();
    const { video } = await probe(exec, path);
    if (!video) throw new PermanentError('no-frames', `"${clip.name}" has no picture, so no frames can be taken from it`);
    await exec('ffmpeg', frameArgs(path, interval, join(dir, 'frame_%04d.jpg')));

    const files = (await readdir(dir)).filter((name) => /^frame_\d{4}\.jpg$/.test(name)).sort();
    if (files.length === 0) throw new PermanentError('no-frames', `no picture of "${clip.name}" can be decoded`);
    const { width, height } = video;
    const frames: Frames['frames'] = [];
    for (const [n, file] of files.entries()) {
      const { sha256 } = await outputs.file(kinds.frame, join(dir, file), { indices: { ...clip.indices, frame: n + 1 } });
      frames.push({ file, sha256, time: Math.round((start + n * interval) * 1000) / 1000, width, height });
    }
    await outputs.json(kinds.frames, { start, end, interval, frames });
  },
});
