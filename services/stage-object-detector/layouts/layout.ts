import type { InferenceSession, Tensor } from 'onnxruntime-node';
import type { InputFormat, Size } from '../input-format.ts';

/** Tensors by name. */
export type Tensors = Readonly<Record<string, Tensor>>;

/** Names, types and shapes of the inputs or outputs of a model. A symbolic dimension is a string. */
export type Values = readonly InferenceSession.TensorValueMetadata[];

/** Inputs and outputs of a family of detectors. */
export interface Layout {
  readonly input: InputFormat;
  /** Maximum intersection over union of two boxes; 1: the model suppresses duplicates itself. */
  readonly maxOverlap: number;
  /** Whether the classes are known only after a run. */
  readonly needsTrial?: boolean;
  /** Names of the outputs that `rows` reads. */
  readonly outputs: readonly string[];
  /** Returns the inputs for an image. @param rgb `[height, width, 3]`, 0 … 255. */
  feeds(rgb: Uint8Array, tensor: typeof Tensor): Tensors;
  /**
   * Returns `[n, 6]`: left, top, right, bottom (pixels of the input), score, class.
   * @throws Error if the model has other classes than COCO.
   */
  rows(results: Tensors): Float32Array;
}

/** Returns the layout of a model with these inputs and outputs, or undefined if it has another layout. */
export type MatchLayout = (inputs: Values, outputs: Values) => Layout | undefined;

/** Number of classes of COCO. */
export const CLASSES = 80;

/** Rows with a lower score are not decoded, because no threshold is that low. */
export const MIN_SCORE = 0.01;

/** Returns an output of type float32. */
export function floatsOf(results: Tensors, name: string): Float32Array {
  return results[name]?.data as Float32Array;
}

/** Throws if a model has another number of classes than COCO. */
export function requireCoco(classes: number): void {
  if (classes === CLASSES) return;
  throw new Error(`it has ${String(classes)} classes; FAVE supports the ${String(CLASSES)} classes of COCO`);
}

/** Returns the input with a name and shape `[n, 3, height, width]`. Symbolic sides are 640, the size of all published models. */
export function findPlanes(inputs: Values, name?: string): (Size & { readonly name: string }) | undefined {
  const input = name === undefined ? inputs[0] : inputs.find((each) => each.name === name);
  if (input?.type !== 'float32' || input.shape.length !== 4) return undefined;
  const [, channels, height, width] = input.shape;
  if (typeof channels === 'number' && channels !== 3) return undefined;
  return { name: input.name, height: typeof height === 'number' ? height : 640, width: typeof width === 'number' ? width : 640 };
}

/** Converts an image to planes of floats. @returns `[3, height, width]`. @param factor Multiplies the values 0 … 255. */
export function toPlanes(rgb: Uint8Array, order: 'rgb' | 'bgr', factor: number): Float32Array {
  const size = rgb.length / 3;
  const planes = new Float32Array(rgb.length);
  const [red, blue] = order === 'rgb' ? [0, 2 * size] : [2 * size, 0];
  for (let n = 0, from = 0; n < size; n++, from += 3) {
    planes[red + n] = (rgb[from] ?? 0) * factor;
    planes[size + n] = (rgb[from + 1] ?? 0) * factor;
    planes[blue + n] = (rgb[from + 2] ?? 0) * factor;
  }
  return planes;
}
