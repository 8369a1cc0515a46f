import { kinds } from '../../schemas/kinds.ts';
import { defineStage } from '../../shared/pipeline/stage.ts';

/** Encodes the video of a clip, and extracts upright still frames: one per `interval` seconds, at least one, and one per scene change. */
export default defineStage({
  name: 'stage-ffmpeg-3',
  version: 4,
  consumes: kinds.clip,
  produces: [kinds.frame, kinds.frames, kinds.video],
  reads: [kinds.media],
  options: {
    interval: { type: 'number', minimum: 0.04, maximum: 3600, default: 5, description: 'interval between frames, in seconds' },
  },
  load: () => import('./run.ts'),
});
