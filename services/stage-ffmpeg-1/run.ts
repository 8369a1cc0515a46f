import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Batch, Media } from '../../schemas/generated/types.ts';
import { kinds } from '../../schemas/kinds.ts';
import { probe } from '../../shared/media/probe.ts';
import type { Item, StageContext } from '../../shared/pipeline/stage.ts';
import type { Exec } from '../../shared/tools/exec.ts';
import { containerFor, cutArgs, isSeekable, remuxArgs } from './args.ts';

/** Maximum number of clips that one ffmpeg cuts. The disk holds as many. */
const MAX_CUTS = 16;

/** Maximum duration of all inputs of one ffmpeg together, in seconds. Each input keeps an index of the source in memory. */
const MAX_CUT_SECONDS = 3_600;

export async function run(batch: Item, { exec, outputs, dir }: StageContext): Promise<void> {
  const { first, clips } = (await batch.json()) as Batch;
  const media = (await (await batch.sibling(kinds.media)).json()) as Media;
  const input = await batch.sibling(kinds.input);
  const source = await toSeekable(await input.file(), media, dir, exec);

  const extension = containerFor(media);
  const size = Math.max(1, Math.min(MAX_CUTS, Math.floor(MAX_CUT_SECONDS / media.duration)));
  for (let done = 0; done < clips.length; done += size) {
    const cuts = clips.slice(done, done + size).map(({ start, end }, n) => {
      const clip = first + done + n;
      return { clip, start, end, target: join(dir, `clip_${clip}.${extension}`) };
    });
    await exec('ffmpeg', cutArgs(source, media, cuts));
    for (const { clip, start, end, target } of cuts) {
      const preroll = await measurePreroll(target, start, exec);
      await outputs.file(kinds.clip, target, { indices: { clip }, attributes: { start, end, preroll } });
      await rm(target);
    }
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
