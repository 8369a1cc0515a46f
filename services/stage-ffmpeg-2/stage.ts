import { join } from 'node:path';
import type { Media } from '../../schemas/generated/types.ts';
import { kinds } from '../../schemas/kinds.ts';
import { probe } from '../../shared/media/probe.ts';
import { windowOf } from '../../shared/media/clip-window.ts';
import { defineStage } from '../../shared/pipeline/stage.ts';
import { speechArgs, videoArgs } from './args.ts';

/** A clip's sound for speech recognition, and its picture for viewing and detection. */
export default defineStage({
  name: 'stage-ffmpeg-2',
  version: 2,
  consumes: kinds.clip,
  produces: [kinds.speech, kinds.video],
  reads: [kinds.media],

  async run(clip, { exec, outputs, log, dir }) {
    const path = await clip.file();
    const window = windowOf(clip);
    const { video, audio } = await probe(exec, path, '-count_packets');

    // First, because speech recognition is the longest way from here.
    const speech = join(dir, 'audio.wav');
    await exec('ffmpeg', speechArgs(path, audio !== null, window, speech));
    await outputs.file(kinds.speech, speech);

    if (!video) return;
    const media = (await (await clip.sibling(kinds.media)).json()) as Media;
    const picture = join(dir, 'video.mp4');
    await exec('ffmpeg', videoArgs(path, window, media.video?.fps ?? video.fps, picture));
    // A stream whose packets are all damaged decodes to nothing, and nothing downstream could open that.
    if ((await probe(exec, picture, '-count_packets')).video) await outputs.file(kinds.video, picture);
    else log.warn({ event: 'item:video-undecodable', clip: clip.id }, 'no picture of this clip could be decoded');
  },
});
