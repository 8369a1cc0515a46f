import { join } from 'node:path';
import { kinds } from '../../schemas/kinds.ts';
import { defineStage } from '../../shared/pipeline/stage.ts';
import { audioArgs } from './args.ts';
import { probeInput } from './probe-input.ts';
import { limits } from './limits.ts';

/** The soundtrack of an upload, as long as the upload, and what the upload is. */
export default defineStage({
  name: 'stage-ffmpeg-0',
  version: 1,
  consumes: kinds.input,
  produces: [kinds.media, kinds.audio],
  settings: limits,

  async run(input, { settings, exec, outputs, dir }) {
    const media = await probeInput(input, settings, exec);
    // First, because whoever reacts to the audio reads it.
    await outputs.json(kinds.media, media);

    const audio = join(dir, 'audio.wav');
    await exec('ffmpeg', audioArgs(await input.file(), media, audio));
    await outputs.file(kinds.audio, audio);
  },
});
