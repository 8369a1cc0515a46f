import type { Tensor } from 'onnxruntime-node';
import type { InputFormat, Size } from '../input-format.ts';
import { CLASSES, findPlanes, floatsOf, MIN_SCORE, requireCoco, toPlanes, type MatchLayout, type Tensors } from './layout.ts';

/** Layout of RT-DETR and D-FINE as their `tools` export them: the model contains the post-processing. */
export const detrWithPostProcessing: MatchLayout = (inputs, outputs) => {
  const image = findPlanes(inputs, 'images');
  const size = inputs.find(({ name }) => name === 'orig_target_sizes');
  const names = ['labels', 'boxes', 'scores'];
  if (!image || !size || !names.every((name) => outputs.some((output) => output.name === name))) return undefined;
  return {
    ...formatOf(image),
    outputs: names,
    feeds: (rgb, tensor) => ({
      images: toTensor(rgb, image, tensor),
      // The model multiplies its boxes by this size, so they are in pixels of the input.
      orig_target_sizes: new tensor('int64', BigInt64Array.of(BigInt(image.width), BigInt(image.height)), [1, 2]),
    }),
    rows: joinRows,
  };
};

/** Layout of RT-DETR and D-FINE as Hugging Face exports them: logits `[1, queries, 80]` and boxes `[1, queries, 4]`. */
export const detr: MatchLayout = (inputs, outputs) => {
  const image = findPlanes(inputs, 'pixel_values');
  const names = ['logits', 'pred_boxes'];
  if (!image || !names.every((name) => outputs.some((output) => output.name === name))) return undefined;
  return {
    ...formatOf(image),
    outputs: names,
    feeds: (rgb, tensor) => ({ pixel_values: toTensor(rgb, image, tensor) }),
    rows: (results) => decodeQueries(results, image),
  };
};

/** Images are resized to the input, as in the evaluation of both projects. */
function formatOf({ width, height }: Size): { input: InputFormat; maxOverlap: number; needsTrial: true } {
  return { needsTrial: true, input: { width, height, fit: 'stretch', colour: 'black', scaler: 'bilinear' }, maxOverlap: 1 };
}

function toTensor(rgb: Uint8Array, { width, height }: Size, tensor: typeof Tensor): Tensor {
  return new tensor('float32', toPlanes(rgb, 'rgb', 1 / 255), [1, 3, height, width]);
}

function joinRows(results: Tensors): Float32Array {
  const [boxes, scores] = [floatsOf(results, 'boxes'), floatsOf(results, 'scores')];
  const labels = Array.from(results['labels']?.data as BigInt64Array, Number);
  // The number of classes is not in the shapes of this export.
  requireCoco(Math.max(CLASSES, ...labels.map((label) => label + 1)));
  return Float32Array.from(labels.flatMap((label, n) => [...boxes.subarray(n * 4, n * 4 + 4), scores[n] ?? NaN, label]));
}

/** Decodes all classes of all queries (`src/zoo/rtdetr/rtdetr_postprocessor.py` and `src/zoo/dfine/postprocessor.py`). */
function decodeQueries(results: Tensors, { width, height }: Size): Float32Array {
  const [logits, boxes] = [floatsOf(results, 'logits'), floatsOf(results, 'pred_boxes')];
  const classes = results['logits']?.dims.at(-1) ?? 0;
  requireCoco(classes);
  return Float32Array.from(
    [...logits].flatMap((logit, n) => {
      const score = 1 / (1 + Math.exp(-logit));
      if (score < MIN_SCORE) return [];
      const [x, y, w, h] = boxes.subarray(Math.floor(n / classes) * 4) as unknown as [number, number, number, number];
      return [(x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height, score, n % classes];
    }),
  );
}
