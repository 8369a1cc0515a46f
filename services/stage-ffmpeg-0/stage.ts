import { kinds } from '../../schemas/kinds.ts';
import { defineStage } from '../../shared/pipeline/stage.ts';
import { limits } from './limits.ts';
import { screenMedia } from './screen-media.ts';

/** Probes an upload and extracts its audio, as long as the upload. */
export default defineStage({
  name: 'stage-ffmpeg-0',
  version: 2,
  consumes: kinds.input,
  produces: [kinds.media, kinds.audio],
  screen: screenMedia,
  settings: limits,
  load: () => import('./run.ts'),
});
