import { kinds } from '../schemas/kinds.ts';
import { defineGraph } from '../shared/pipeline/graph.ts';
import stageDeepspeech from './stage-deepspeech/stage.ts';
import stageFfmpeg0 from './stage-ffmpeg-0/stage.ts';
import stageFfmpeg1 from './stage-ffmpeg-1/stage.ts';
import stageFfmpeg2 from './stage-ffmpeg-2/stage.ts';
import stageFfmpeg3 from './stage-ffmpeg-3/stage.ts';
import stageGrep from './stage-grep/stage.ts';
import stageLibrosa from './stage-librosa/stage.ts';
import stageObjectDetector from './stage-object-detector/stage.ts';

/** The pipeline. The order of the stages follows from the kinds that each consumes and produces. */
export const graph = defineGraph(
  [kinds.input, kinds.canary],
  [
    stageFfmpeg0, //        input      → media, audio
    stageLibrosa, //        audio      → segments, batch × N
    stageFfmpeg1, //        batch      → clip × N
    stageFfmpeg2, //        batch      → speech × N
    stageDeepspeech, //     speech     → transcript
    stageFfmpeg3, //        clip       → frame × N, frames, video
    stageObjectDetector, // frames     → detections
    stageGrep, //           transcript → matched-clip, match
  ],
);
