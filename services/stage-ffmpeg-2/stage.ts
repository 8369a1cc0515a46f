import { kinds } from '../../schemas/kinds.ts';
import { defineStage } from '../../shared/pipeline/stage.ts';

/** Cuts the audio into the clips, for speech recognition. */
export default defineStage({
  name: 'stage-ffmpeg-2',
  version: 4,
  consumes: kinds.segments,
  produces: [kinds.speech],
  reads: [kinds.audio],
  load: () => import('./run.ts'),
});
