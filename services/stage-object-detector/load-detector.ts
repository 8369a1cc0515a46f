import { createRequire } from 'node:module';
import { basename } from 'node:path';
import { FaveError, PermanentError } from '../../shared/core/errors.ts';
import { shippedModelPath } from '../../shared/onnx/shipped-model.ts';
import type { BackendName, Detector } from './detector.ts';

/**
 * Loads a model and the packages that run it. It is called once per process. The shipped model runs on ONNX Runtime; where that does
 * not load, the same model of `@vladmandic/human` runs on TensorFlow.js.
 * @param path Path of an ONNX model or of a TensorFlow.js graph model (model.json); empty: the shipped model.
 * @throws PermanentError `detector-model-missing`, `detector-model-invalid`, `detector-backend-missing`.
 */
export async function loadDetector(path: string, choice: BackendName): Promise<Detector> {
  if (path) requireRuntime(path, choice);
  if (path ? path.endsWith('.onnx') : choice === 'auto' || choice === 'onnxruntime') {
    try {
      const { loadOnnxDetector } = await import('./onnx-model.ts');
      return await loadOnnxDetector(path || shippedModelPath('centernet.onnx'));
    } catch (error) {
      const fallsBack = !path && choice === 'auto' && error instanceof FaveError && error.code === 'detector-backend-missing';
      if (!fallsBack) throw error;
    }
  }
  const { loadGraphDetector } = await import('./graph-model.ts');
  return loadGraphDetector(path || bundledGraphModel(), choice);
}

/** Returns the path of the graph model in the package `@vladmandic/human`. */
export function bundledGraphModel(): string {
  // Its package.json exports only the main file.
  return createRequire(import.meta.url)
    .resolve('@vladmandic/human')
    .replace(/dist.[^/\\]+$/, 'models/centernet.json');
}

/** Throws if the chosen runtime does not read the format of the model. */
function requireRuntime(path: string, choice: BackendName): void {
  if (choice === 'auto' || path.endsWith('.onnx') === (choice === 'onnxruntime')) return;
  const sentence = `FAVE_DETECTOR_BACKEND is "${choice}", which does not run ${basename(path)} (FAVE_DETECTOR_MODEL); set it to "auto"`;
  throw new PermanentError('detector-backend-missing', sentence);
}
