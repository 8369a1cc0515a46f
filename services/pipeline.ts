import { kinds } from '../schemas/kinds.ts';
import { defineGraph } from '../shared/graph.ts';
import deepspeech from './stage-deepspeech/stage.ts';
import ffmpeg0 from './stage-ffmpeg-0/stage.ts';
import ffmpeg1 from './stage-ffmpeg-1/stage.ts';
import ffmpeg2 from './stage-ffmpeg-2/stage.ts';
import ffmpeg3 from './stage-ffmpeg-3/stage.ts';
import librosa from './stage-librosa/stage.ts';
import objectDetector from './stage-object-detector/stage.ts';

/** The whole pipeline: the order is nowhere written down, it follows from what each stage consumes and produces. */
export const graph = defineGraph(
  [kinds.input, kinds.canary],
  [
    ffmpeg0, //        input    → media, audio
    librosa, //        audio    → segments
    ffmpeg1, //        segments → clip × N
    ffmpeg2, //        clip     → speech, video
    deepspeech, //     speech   → transcript
    ffmpeg3, //        video    → frame × N, frames
    objectDetector, // frames   → detections
  ],
);
