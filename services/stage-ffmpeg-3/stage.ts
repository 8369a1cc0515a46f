import { kinds } from '../../schemas/kinds.ts';
import { defineStage } from '../../shared/pipeline/stage.ts';

/** Extracts upright still frames of a clip: one per `interval` seconds, and at least one. */
export default defineStage({
  name: 'stage-ffmpeg-3',
  version: 1,
  consumes: kinds.video,
  produces: [kinds.frame, kinds.frames],
  options: {
    interval: { type: 'number', minimum: 0.04, maximum: 3600, default: 5, description: 'interval between frames, in seconds' },
  },
  load: () => import('./run.ts'),
});
