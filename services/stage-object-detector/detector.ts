import { basename } from 'node:path';
import { messageOf, PermanentError } from '../../shared/core/errors.ts';
import type { InputFormat } from './input-format.ts';

/** Values of the setting `detector-backend`. */
export type BackendName = 'auto' | 'onnxruntime' | 'tensorflow' | 'wasm';

/** Runtime of a model. */
export interface Backend {
  readonly name: 'onnxruntime' | 'tfjs-node' | 'tfjs-wasm';
  readonly version: string;
}

/** A loaded model. */
export interface Detector {
  /** Name of the model file without its extension. */
  readonly model: string;
  /** SHA-256 of the weights of the model. */
  readonly sha256: string;
  readonly backend: Backend;
  readonly input: InputFormat;
  /** Maximum intersection over union of two boxes of the result. */
  readonly maxOverlap: number;
  /**
   * @param rgb Image in the input format, `[height, width, 3]`, 0 … 255.
   * @returns `[n, 6]`: left, top, right, bottom (pixels of the input), score, class.
   */
  detect(rgb: Uint8Array): Promise<Float32Array>;
}

/** Length of a row of detections. */
export const ROW = 6;

/** Creates the error for a model file that cannot be read. */
export function missingModel(cause: unknown): PermanentError {
  const sentence = `the detector model cannot be read (${messageOf(cause)}); correct FAVE_DETECTOR_MODEL, or leave it empty for the shipped model`;
  return new PermanentError('detector-model-missing', sentence, { cause });
}

/** Creates the error for a file that is not a supported detector. @param file Path of the model. */
export function invalidModel(file: string, expected: string, cause: unknown): PermanentError {
  const sentence = `${basename(file)} (FAVE_DETECTOR_MODEL) is not ${expected}: ${messageOf(cause)}`;
  return new PermanentError('detector-model-invalid', sentence, { cause });
}
