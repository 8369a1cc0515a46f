import { kinds } from '../../schemas/kinds.ts';
import { defineStage } from '../../shared/pipeline/stage.ts';

/** Cuts a batch of clips from the source without re-encoding. */
export default defineStage({
  name: 'stage-ffmpeg-1',
  version: 1,
  consumes: kinds.batch,
  produces: [kinds.clip],
  reads: [kinds.input, kinds.media],
  load: () => import('./run.ts'),
});
