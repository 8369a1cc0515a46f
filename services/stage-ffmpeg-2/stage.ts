import { kinds } from '../../schemas/kinds.ts';
import { defineStage } from '../../shared/pipeline/stage.ts';

/** Cuts a batch of clips from the audio, for speech recognition. */
export default defineStage({
  name: 'stage-ffmpeg-2',
  version: 4,
  consumes: kinds.batch,
  produces: [kinds.speech],
  reads: [kinds.audio],
  load: () => import('./run.ts'),
});
