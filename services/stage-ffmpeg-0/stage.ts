import { kinds } from '../../schemas/kinds.ts';
import { defineStage } from '../../shared/pipeline/stage.ts';
import { limits } from './limits.ts';

/** Probes an upload and extracts its audio, as long as the upload. */
export default defineStage({
  name: 'stage-ffmpeg-0',
  version: 1,
  consumes: kinds.input,
  produces: [kinds.media, kinds.audio],
  settings: limits,
  load: () => import('./run.ts'),
});
