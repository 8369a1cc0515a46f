import { kinds } from '../schemas/kinds.ts';
import { defineGraph } from '../shared/pipeline/graph.ts';

/** The whole pipeline, a line a stage: the order is nowhere written down, it follows from what each consumes and produces. */
const stages = [
  import('./stage-ffmpeg-0/stage.ts'), //          input      → media, audio
  import('./stage-librosa/stage.ts'), //           audio      → segments
  import('./stage-ffmpeg-1/stage.ts'), //          segments   → clip × N
  import('./stage-ffmpeg-2/stage.ts'), //          clip       → speech, video
  import('./stage-deepspeech/stage.ts'), //        speech     → transcript
  import('./stage-ffmpeg-3/stage.ts'), //          video      → frame × N, frames
  import('./stage-object-detector/stage.ts'), //   frames     → detections
  import('./stage-grep/stage.ts'), //              transcript → found, match
];

export const graph = defineGraph(
  [kinds.input, kinds.canary],
  (await Promise.all(stages)).map((stage) => stage.default),
);
