import { kinds } from '../../schemas/kinds.ts';
import { defineStage } from '../../shared/pipeline/stage.ts';
import { analyse } from './analyse.ts';
import { clipsOf, inSeconds } from './clips.ts';
import { cutAtThreshold } from './threshold.ts';
import { cutAtSilence } from './silence.ts';
import { toDecibels } from './split.ts';

/** Where the video is cut into clips, by what is heard: the clips cover all of it, without gap or overlap. */
export default defineStage({
  name: 'stage-librosa',
  version: 1,
  consumes: kinds.audio,
  produces: [kinds.segments],
  options: {
    segmentation: {
      type: 'string',
      enum: ['silence', 'fave'],
      default: 'silence',
      description:
        'how clips are cut: silence (in the longest pauses, 5 to 30 s a clip) or fave (by loudness, as the first FAVE on OpenFaaS did)',
    },
  },

  async run(audio, { options, outputs, signal }) {
    const { segmentation } = options;
    const analysis = await analyse(await audio.file(), signal);
    const { samples } = analysis;
    const dB = toDecibels(analysis.rms);
    const { topDb, ends } =
      segmentation === 'fave' ? cutAtThreshold(dB, samples) : { topDb: null, ends: cutAtSilence(dB, samples) };
    await outputs.json(kinds.segments, {
      segmentation,
      top_db: topDb,
      duration: inSeconds(samples),
      clips: clipsOf(ends, analysis),
    });
  },
});
