import { kinds } from '../../schemas/kinds.ts';
import { defineStage } from '../../shared/pipeline/stage.ts';

/** Detects COCO objects in a clip's frames. */
export default defineStage({
  name: 'stage-object-detector',
  version: 2,
  consumes: kinds.frames,
  produces: [kinds.detections],
  reads: [kinds.frame],
  options: {
    threshold: {
      type: 'number',
      minimum: 0,
      maximum: 1,
      default: 0.3,
      description: 'minimum score of a box in detections.json',
    },
  },
  settings: {
    'detector-model': {
      type: 'string',
      default: '',
      description: 'path of an ONNX detector or of a CenterNet graph model (model.json); empty: the shipped model',
    },
    'detector-backend': {
      type: 'string',
      enum: ['auto', 'onnxruntime', 'tensorflow', 'wasm'],
      default: 'auto',
      description: 'runtime of the model; auto: the first of onnxruntime, tensorflow and wasm that runs',
    },
  },
  load: () => import('./run.ts'),
});
