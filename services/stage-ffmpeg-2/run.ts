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
  const { video, audio } = await probe(exec, path, '-count_packets');

  // The audio comes first because speech recognition is the longest remaining path through the pipeline.
  const speech = join(dir, 'audio.wav');
  await exec('ffmpeg', speechArgs(path, audio !== null, window, speech));
  await outputs.file(kinds.speech, speech);

  if (!video) return;
  const media = (await (await clip.sibling(kinds.media)).json()) as Media;
  const target = join(dir, 'video.mp4');
  let frames = 0;
  await exec('ffmpeg', videoArgs(path, window, media.video?.fps ?? video.fps, target), {
    onLine: (line) => {
      if (line.startsWith('frame=')) frames = Number(line.slice('frame='.length));
    },
  });
  // A stream whose packets are all damaged decodes to an empty file, which no later stage can open.
  if (frames > 0) await outputs.file(kinds.video, target);
  else log.warn({ event: 'item:video-undecodable', clip: clip.id }, 'no frame of this clip could be decoded');
}
