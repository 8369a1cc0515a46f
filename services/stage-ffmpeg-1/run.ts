import { join } from 'node:path';
import type { Media, Segments } from '../../schemas/generated/types.ts';
import { kinds } from '../../schemas/kinds.ts';
import { probe } from '../../shared/media/probe.ts';
import type { Item, StageContext } from '../../shared/pipeline/stage.ts';
import type { Exec } from '../../shared/tools/exec.ts';
import { containerFor, cutArgs, isSeekable, remuxArgs } from './args.ts';

export async function run(segments: Item, { exec, outputs, dir }: StageContext): Promise<void> {
  const { clips } = (await segments.json()) as Segments;
  const media = (await (await segments.sibling(kinds.media)).json()) as Media;
  const input = await segments.sibling(kinds.input);
  const source = await toSeekable(await input.file(), media, dir, exec);

  // All clips share one file name. Each is stored before the next is cut, so the disk holds one clip at a time.
  const path = join(dir, `clip.${containerFor(media)}`);
  for (const [index, { start, end }] of clips.entries()) {
    await exec('ffmpeg', cutArgs(source, media, { start, end }, path));
    const preroll = await measurePreroll(path, start, exec);
    await outputs.file(kinds.clip, path, { indices: { clip: index + 1 }, attributes: { start, end, preroll } });
  }
}

/** Returns the path of the source, or of its content remuxed into a container in which ffmpeg can seek to any keyframe. */
async function toSeekable(path: string, media: Media, dir: string, exec: Exec): Promise<string> {
  if (isSeekable(media.format)) return path;
  const remuxed = join(dir, 'source.mkv');
  await exec('ffmpeg', remuxArgs(path, media, remuxed));
  return remuxed;
}

/** Returns the length of the media in a clip's file that lies before the clip's start, in seconds. */
async function measurePreroll(path: string, start: number, exec: Exec): Promise<number> {
  if (path.endsWith('.mp4')) return 0;
  const preroll = start - (await probe(exec, path)).start;
  return Math.max(0, Math.round(preroll * 1000) / 1000);
}
