import { kinds } from '../../schemas/kinds.ts';
import { defineStage } from '../../shared/pipeline/stage.ts';

/** Extracts upright still frames of a clip: one per `interval` seconds, at least one, and one per scene change. */
export default defineStage({
  name: 'stage-ffmpeg-3',
  version: 2,
  consumes: kinds.clip,
  produces: [kinds.frame, kinds.frames],
  reads: [kinds.media],
  options: {
    interval: { type: 'number', minimum: 0.04, maximum: 3600, default: 5, description: 'interval between frames, in seconds' },
  },
  load: () => import('./run.ts'),
});
