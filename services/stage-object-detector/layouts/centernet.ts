import type { InputFormat } from '../input-format.ts';
import { floatsOf, type MatchLayout } from './layout.ts';

/** Output `[1, 100, 6]`: rows of detections by descending score. */
export const CENTERNET_OUTPUT = 'tower_0/detections';

/**
 * Input of CenterNet on MobileNetV3 (https://github.com/610265158/mobilenetv3_centernet), placed as in its evaluation
 * (`lib/core/api/face_detector.py`): if 16:9 images are stretched to the square, people are detected in 4 frames of 18; with bars, in 15.
 * The bars are grey, although the evaluation uses black: with grey, cars from above are detected in 4 frames of 30, with black in 2.
 */
export const CENTERNET_INPUT: InputFormat = { width: 512, height: 512, fit: 'centre', colour: 'gray', scaler: 'area' };

/**
 * The model assigns several classes to one object ("bottle", "vase"), so boxes of different classes compete too. At 0.6 a rider and the
 * bicycle are both kept.
 */
export const MAX_OVERLAP = 0.6;

/** Layout of the shipped model. */
export const centernet: MatchLayout = ([image], outputs) => {
  const { width, height } = CENTERNET_INPUT;
  if (!image || image.shape.join() !== `1,${String(height)},${String(width)},3`) return undefined;
  if (!outputs.some(({ name }) => name === CENTERNET_OUTPUT)) return undefined;
  return {
    input: CENTERNET_INPUT,
    maxOverlap: MAX_OVERLAP,
    outputs: [CENTERNET_OUTPUT],
    feeds: (rgb, tensor) => ({ [image.name]: new tensor('float32', new Float32Array(rgb), [1, height, width, 3]) }),
    rows: (results) => floatsOf(results, CENTERNET_OUTPUT),
  };
};
