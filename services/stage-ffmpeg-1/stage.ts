import { join } from 'node:path';
import type { Media, Segments } from '../../schemas/generated/types.ts';
import { kinds } from '../../schemas/kinds.ts';
import type { Exec } from '../../shared/tools/exec.ts';
import { probe } from '../../shared/media/probe.ts';
import { defineStage } from '../../shared/pipeline/stage.ts';
import { containerFor, cutArgs, isSeekable, remuxArgs } from './args.ts';

/** Cuts the source into its clips without re-encoding. */
export default defineStage({
  name: 'stage-ffmpeg-1',
  version: 1,
  consumes: kinds.segments,
  produces: [kinds.clip],
  reads: [kinds.input, kinds.media],

  async run(segments, { exec, outputs, dir }) {
    const { clips } = (await segments.json()) as Segments;
    const media = (await (await segments.sibling(kinds.media)).json()) as Media;
    const input = await segments.sibling(kinds.input);
    const source = await seekable(await input.file(), media, dir, exec);

    // One name for all clips: each is stored before the next is cut, so the disk holds one.
    const path = join(dir, `clip.${containerFor(media)}`);
    for (const [index, { start, end }] of clips.entries()) {
      await exec('ffmpeg', cutArgs(source, media, { start, end }, path));
      const preroll = await prerollOf(path, start, exec);
      await outputs.file(kinds.clip, path, { indices: { clip: index + 1 }, attributes: { start, end, preroll } });
    }
  },
});

/** The source, or its content in a container that can be entered at any keyframe. */
async function seekable(path: string, media: Media, dir: string, exec: Exec): Promise<string> {
  if (isSeekable(media.format)) return path;
  const remuxed = join(dir, 'source.mkv');
  await exec('ffmpeg', remuxArgs(path, media, remuxed));
  return remuxed;
}

/** Seconds at the beginning of a clip that lie before its start. */
async function prerollOf(path: string, start: number, exec: Exec): Promise<number> {
  if (path.endsWith('.mp4')) return 0;
  const preroll = start - (await probe(exec, path)).start;
  return Math.max(0, Math.round(preroll * 1000) / 1000);
}
