import type { Size } from '../input-format.ts';
import { findPlanes, floatsOf, MIN_SCORE, requireCoco, toPlanes, type MatchLayout } from './layout.ts';

/** Number of values of an anchor before the class scores: centre, size and objectness. */
const ANCHOR = 5;

/** Sizes are logarithms relative to the stride. Higher values are pixels of a model that decodes them itself. */
const MAX_LOG_SIZE = 10;

/** Strides of the grids, in pixels. The large models have a fourth grid. */
const STRIDES = [8, 16, 32];
const LARGE_STRIDES = [...STRIDES, 64];

/** Layout of YOLOX as `tools/export_onnx.py` writes it (https://github.com/Megvii-BaseDetection/YOLOX): one output `[1, anchors, 85]`. */
export const yolox: MatchLayout = (inputs, outputs) => {
  const image = findPlanes(inputs);
  const [output] = outputs;
  if (!image || !output || inputs.length !== 1 || outputs.length !== 1 || output.shape.length !== 3) return undefined;
  const anchors = output.shape[1];
  const strides = [STRIDES, LARGE_STRIDES].find((each) => countCells(image, each) === anchors);
  if (!strides) return undefined;
  return {
    input: { width: image.width, height: image.height, fit: 'top-left', colour: '0x727272', scaler: 'bilinear' },
    maxOverlap: 0.45,
    needsTrial: true,
    outputs: [output.name],
    feeds: (rgb, tensor) => ({
      [image.name]: new tensor('float32', toPlanes(rgb, 'bgr', 1), [1, 3, image.height, image.width]),
    }),
    rows: (results) => decode(floatsOf(results, output.name), image, strides),
  };
};

function countCells({ width, height }: Size, strides: readonly number[]): number {
  return strides.reduce((sum, stride) => sum + Math.floor(width / stride) * Math.floor(height / stride), 0);
}

/** Decodes the anchors of all grids (`demo_postprocess` in `yolox/utils/demo_utils.py`). */
function decode(values: Float32Array, image: Size, strides: readonly number[]): Float32Array {
  const length = values.length / countCells(image, strides);
  requireCoco(length - ANCHOR);
  const rows: number[] = [];
  let offset = 0;
  for (const stride of strides) {
    const columns = Math.floor(image.width / stride);
    const cells = columns * Math.floor(image.height / stride);
    for (let cell = 0; cell < cells; cell++, offset += length) {
      const [x, y, width, height, objectness] = values.subarray(offset, offset + ANCHOR) as unknown as [
        number,
        number,
        number,
        number,
        number,
      ];
      if (Math.max(width, height) > MAX_LOG_SIZE) throw new Error('export it without --decode_in_inference');
      if (objectness < MIN_SCORE) continue;
      const best = indexOfMaximum(values.subarray(offset + ANCHOR, offset + length));
      const centre = { x: (x + (cell % columns)) * stride, y: (y + Math.floor(cell / columns)) * stride };
      const half = { width: (Math.exp(width) * stride) / 2, height: (Math.exp(height) * stride) / 2 };
      rows.push(centre.x - half.width, centre.y - half.height, centre.x + half.width, centre.y + half.height);
      rows.push(objectness * (values[offset + ANCHOR + best] ?? NaN), best);
    }
  }
  return Float32Array.from(rows);
}

function indexOfMaximum(values: Float32Array): number {
  return values.reduce((best, value, n) => (value > (values[best] ?? NaN) ? n : best), 0);
}
