import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { messageOf, PermanentError } from '../../shared/core/errors.ts';
import { importRuntime, loadOnnxModel } from '../../shared/onnx/session.ts';
import { type Detector, invalidModel, missingModel } from './detector.ts';
import { centernet } from './layouts/centernet.ts';
import { detr, detrWithPostProcessing } from './layouts/detr.ts';
import type { Values } from './layouts/layout.ts';
import { yolox } from './layouts/yolox.ts';

const layouts = [centernet, yolox, detrWithPostProcessing, detr];
const SUPPORTED = 'a supported detector (CenterNet, YOLOX, RT-DETR or D-FINE with the 80 classes of COCO)';

/**
 * Loads a detector on ONNX Runtime. The layout of the model follows from the names and shapes of
 * its inputs and outputs.
 * @param file Path of the model.
 * @throws PermanentError `detector-model-missing`, `detector-model-invalid`, `detector-backend-missing`.
 */
export async function loadOnnxDetector(file: string): Promise<Detector> {
  const [version, content] = await Promise.all([startRuntime(), readFile(file).catch(rejectMissing)]);
  const { session, Tensor } = await loadOnnxModel(file).catch((cause: unknown) => {
    throw invalidModel(file, SUPPORTED, cause);
  });
  const inputs = session.inputMetadata.filter((value) => value.isTensor);
  const outputs = session.outputMetadata.filter((value) => value.isTensor);
  const layout = layouts.map((match) => match(inputs, outputs)).find((found) => found !== undefined);
  if (!layout) throw invalidModel(file, SUPPORTED, new Error(`it maps ${formatValues(inputs)} to ${formatValues(outputs)}`));

  const { input, maxOverlap } = layout;
  const detect = async (rgb: Uint8Array): Promise<Float32Array> =>
    layout.rows(await session.run(layout.feeds(rgb, Tensor), layout.outputs));
  // The number of classes is not always in the shapes. A run with an empty image finds other models before the first item.
  if (layout.needsTrial) {
    await detect(new Uint8Array(input.width * input.height * 3)).catch((cause: unknown) => {
      throw invalidModel(file, SUPPORTED, cause);
    });
  }
  return {
    model: basename(file, '.onnx'),
    sha256: createHash('sha256').update(content).digest('hex'),
    backend: { name: 'onnxruntime', version },
    input,
    maxOverlap,
    detect,
  };
}

/** Loads ONNX Runtime. @returns Its version. */
async function startRuntime(): Promise<string> {
  try {
    const { env } = await importRuntime();
    return env.versions.node ?? env.versions.common;
  } catch (error) {
    const sentence = `ONNX Runtime does not run here (${messageOf(error)}); set FAVE_DETECTOR_BACKEND to "auto", or reinstall onnxruntime-node`;
    throw new PermanentError('detector-backend-missing', sentence, { cause: error });
  }
}

function rejectMissing(error: unknown): never {
  throw missingModel(error);
}

/** Formats inputs or outputs, such as `images [1,3,640,640]`. */
function formatValues(values: Values): string {
  return values.map(({ name, shape }) => `${name} [${shape.join()}]`).join(', ');
}
