import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import type { GraphModel } from '@tensorflow/tfjs-converter';
import type { io, Tensor } from '@tensorflow/tfjs-core';
import { messageOf, PermanentError } from '../../shared/core/errors.ts';
import { type Backend, type BackendName, startBackend } from './backend.ts';
import { SIDE } from './letterbox.ts';

/** A loaded model: CenterNet on MobileNetV3, trained on COCO (https://github.com/610265158/mobilenetv3_centernet). */
export interface Detector {
  /** Name of the model file. */
  readonly model: string;
  /** SHA-256 of the weights of the model. */
  readonly sha256: string;
  readonly backend: Backend;
  /** @param rgb `[512, 512, 3]`, 0 … 255 @returns `[100, 6]`: left, top, right, bottom (pixels of the input), score, class. */
  detect(rgb: Uint8Array): Float32Array;
}

const OUTPUT = 'tower_0/detections';

/** Returns the path of the model in the package `@vladmandic/human`. */
export function shippedModel(): string {
  // Its package.json exports only the main file.
  const main = createRequire(import.meta.url).resolve('@vladmandic/human');
  return join(dirname(main), '..', 'models', 'centernet.json');
}

/**
 * Loads the model and the packages that run it. It is called once per process. A warm-up run would take longer than the 0.1 s that it
 * saves for the first frame.
 * @param path Path of a TensorFlow.js graph model (model.json); empty: the bundled model.
 * @throws PermanentError `detector-model-missing`, `detector-model-invalid`, `detector-backend-missing`.
 */
export async function loadDetector(path: string, wanted: BackendName): Promise<Detector> {
  const file = path || shippedModel();
  const [tf, converter, { json, weights }] = await Promise.all([
    import('@tensorflow/tfjs-core'),
    import('@tensorflow/tfjs-converter'),
    readModel(file),
  ]);
  const backend = await startBackend(wanted);
  const handler: io.IOHandler = {
    load: () =>
      tf.io.getModelArtifactsForJSON(json, (groups) =>
        Promise.resolve([groups.flatMap((group) => group.weights), new Uint8Array(weights).buffer]),
      ),
  };
  const model = await converter.loadGraphModel(handler).catch((cause: unknown) => {
    throw invalid(file, cause);
  });
  if (!model.outputs.some(({ name }) => name === OUTPUT)) throw invalid(file, new Error(`it has no output "${OUTPUT}"`));

  return {
    model: basename(file, '.json'),
    sha256: createHash('sha256').update(weights).digest('hex'),
    backend,
    // `tidy` disposes of tensors, which are not garbage-collected.
    detect: (rgb) => tf.tidy(() => output(model, tf.tensor4d(new Float32Array(rgb), [1, SIDE, SIDE, 3])).dataSync<'float32'>()),
  };
}

function output(model: GraphModel, input: Tensor): Tensor {
  return model.execute(input, OUTPUT) as Tensor;
}

async function readModel(file: string): Promise<{ json: io.ModelJSON; weights: Buffer }> {
  try {
    const json = JSON.parse(await readFile(file, 'utf8')) as io.ModelJSON;
    const paths = json.weightsManifest.flatMap((group) => group.paths);
    return { json, weights: Buffer.concat(await Promise.all(paths.map((path) => readFile(join(dirname(file), path))))) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw invalid(file, error);
    const sentence = `the detector model cannot be read (${messageOf(error)}); correct FAVE_DETECTOR_MODEL, or leave it empty for the bundled model`;
    throw new PermanentError('detector-model-missing', sentence, { cause: error });
  }
}

function invalid(file: string, cause: unknown): PermanentError {
  const sentence = `${basename(file)} (FAVE_DETECTOR_MODEL) is not a CenterNet graph model of TensorFlow.js: ${messageOf(cause)}`;
  return new PermanentError('detector-model-invalid', sentence, { cause });
}
