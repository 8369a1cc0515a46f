import { join } from 'node:path';
import type { Media } from '../../schemas/generated/types.ts';
import { kinds } from '../../schemas/kinds.ts';
import { toClipWindow } from '../../shared/media/clip-window.ts';
import { probe } from '../../shared/media/probe.ts';
import type { Item, StageContext } from '../../shared/pipeline/stage.ts';
import { speechArgs, videoArgs } from './args.ts';

export async function run(clip: Item, { exec, outputs, log, dir }: StageContext): Promise<void> {
  const path = await clip.file();
  const window = toClipWindow(clip);
  const media = (await (await clip.sibling(kinds.media)).json()) as Media;
  const has = async (stream: 'video' | 'audio'): Promise<boolean> => (await probe(exec, path, '-count_packets'))[stream] !== null;

  // The audio comes first because speech recognition is the longest remaining path through the pipeline.
  const speech = join(dir, 'audio.wav');
  try {
    await exec('ffmpeg', speechArgs(path, media.audio !== null, window, speech));
  } catch (error) {
    // A copy can have a track without packets, which ffmpeg cannot decode.
    if (await has('audio')) throw error;
    await exec('ffmpeg', speechArgs(path, false, window, speech));
  }
  await outputs.file(kinds.speech, speech);

  if (!media.video) return;
  const target = join(dir, 'video.mp4');
  let frames = 0;
  try {
    await exec('ffmpeg', videoArgs(path, window, media.video.fps, target), {
      onLine: (line) => {
        if (line.startsWith('frame=')) frames = Number(line.slice('frame='.length));
      },
    });
  } catch (error) {
    if (await has('video')) throw error;
    return;
  }
  // A stream whose packets are all damaged decodes to an empty file, which no later stage can open.
  if (frames > 0) await outputs.file(kinds.video, target);
  else log.warn({ event: 'item:video-undecodable', clip: clip.id }, 'no frame of this clip could be decoded');
}
