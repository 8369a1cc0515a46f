import { kinds } from '../../schemas/kinds.ts';
import { defineStage } from '../../shared/pipeline/stage.ts';

/** Extracts a clip's audio for speech recognition, and its video for playback and detection. */
export default defineStage({
  name: 'stage-ffmpeg-2',
  version: 3,
  consumes: kinds.clip,
  produces: [kinds.speech, kinds.video],
  reads: [kinds.media],
  load: () => import('./run.ts'),
});
