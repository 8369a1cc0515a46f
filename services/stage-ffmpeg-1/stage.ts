import { kinds } from '../../schemas/kinds.ts';
import { defineStage } from '../../shared/pipeline/stage.ts';

/** Cuts the source into its clips without re-encoding. */
export default defineStage({
  name: 'stage-ffmpeg-1',
  version: 1,
  consumes: kinds.segments,
  produces: [kinds.clip],
  reads: [kinds.input, kinds.media],
  load: () => import('./run.ts'),
});
