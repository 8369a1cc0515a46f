import { kinds } from '../../schemas/kinds.ts';
import { defineStage } from '../../shared/pipeline/stage.ts';

/** Chooses where the video is cut into clips, by its audio. The clips cover the whole video without gaps or overlaps. */
export default defineStage({
  name: 'stage-librosa',
  version: 3,
  consumes: kinds.audio,
  produces: [kinds.segments, kinds.batch],
  options: {
    segmentation: {
      type: 'string',
      enum: ['silence', 'fave'],
      default: 'silence',
      description:
        'method of cutting clips: silence (in the longest pauses, 15 to 90 s per clip) or fave (by a loudness threshold, as in the first FAVE on OpenFaaS)',
    },
  },
  settings: {
    'max-clips': {
      type: 'integer',
      default: 5_000,
      minimum: 1,
      // The events of a replay list all clips in one message of the bus.
      maximum: 6_000,
      description:
        'maximum number of clips of a request; clips become longer with segmentation=silence, the request fails with fave',
    },
  },
  load: () => import('./run.ts'),
});
