import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { GraphModel } from '@tensorflow/tfjs-converter';
import type { io, Tensor } from '@tensorflow/tfjs-core';
import { startBackend } from './backend.ts';
import { type BackendName, type Detector, invalidModel, missingModel } from './detector.ts';
import { CENTERNET_INPUT, CENTERNET_OUTPUT, MAX_OVERLAP } from './layouts/centernet.ts';

/**
 * Loads a CenterNet graph model of TensorFlow.js. A warm-up run would take longer than the 0.1 s that it saves for the first frame.
 * @param file Path of model.json.
 * @throws PermanentError `detector-model-missing`, `detector-model-invalid`, `detector-backend-missing`.
 */
export async function loadGraphDetector(file: string, choice: BackendName): Promise<Detector> {
  const [tf, converter, { json, weights }] = await Promise.all([
    import('@tensorflow/tfjs-core'),
    import('@tensorflow/tfjs-converter'),
    readModel(file),
  ]);
  const backend = await startBackend(choice);
  const handler: io.IOHandler = {
    load: () =>
      tf.io.getModelArtifactsForJSON(json, (groups) =>
        Promise.resolve([groups.flatMap((group) => group.weights), new Uint8Array(weights).buffer]),
      ),
  };
  const model = await converter.loadGraphModel(handler).catch((cause: unknown) => {
    throw invalid(file, cause);
  });
  if (!model.outputs.some(({ name }) => name === CENTERNET_OUTPUT)) {
    throw invalid(file, new Error(`it has no output "${CENTERNET_OUTPUT}"`));
  }
  const { width, height } = CENTERNET_INPUT;
  return {
    model: basename(file, '.json'),
    sha256: createHash('sha256').update(weights).digest('hex'),
    backend,
    input: CENTERNET_INPUT,
    maxOverlap: MAX_OVERLAP,
    // `tidy` disposes of tensors, which are not garbage-collected.
    detect: (rgb) =>
      Promise.resolve(
        tf.tidy(() => execute(model, tf.tensor4d(new Float32Array(rgb), [1, height, width, 3])).dataSync<'float32'>()),
      ),
  };
}

function execute(model: GraphModel, input: Tensor): Tensor {
  return model.execute(input, CENTERNET_OUTPUT) as Tensor;
}

async function readModel(file: string): Promise<{ json: io.ModelJSON; weights: Buffer }> {
  try {
    const json = JSON.parse(await readFile(file, 'utf8')) as io.ModelJSON;
    const paths = json.weightsManifest.flatMap((group) => group.paths);
    return { json, weights: Buffer.concat(await Promise.all(paths.map((path) => readFile(join(dirname(file), path))))) };
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === undefined ? invalid(file, error) : missingModel(error);
  }
}

function invalid(file: string, cause: unknown): Error {
  return invalidModel(file, 'a CenterNet graph model of TensorFlow.js', cause);
}
