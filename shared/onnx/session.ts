import type { InferenceSession, Tensor } from 'onnxruntime-node';

/** A loaded ONNX model. */
export interface OnnxModel {
  readonly session: InferenceSession;
  /** Class of the tensors that `session.run` accepts. */
  readonly Tensor: typeof Tensor;
}

/** Imports ONNX Runtime without its telemetry. */
export function importRuntime(): Promise<typeof import('onnxruntime-node')> {
  // Releases from 1.29 otherwise send usage data, also the name and the hash of the model, and write files to the temporary directory.
  // The library reads the environment when it is loaded.
  // eslint-disable-next-line no-restricted-properties -- set for the library, not read
  process.env['ORT_DISABLE_TELEMETRY'] = '1';
  return import('onnxruntime-node');
}

/**
 * Loads an ONNX model for inference on the CPU. ONNX Runtime is imported here, so processes without a model do not load it.
 * @param path Path of the model file.
 * @param threads Threads of one inference. Stages compute on one thread by default, because a worker processes items in parallel.
 */
export async function loadOnnxModel(path: string, { threads = 1 }: { readonly threads?: number } = {}): Promise<OnnxModel> {
  const { InferenceSession, Tensor } = await importRuntime();
  const session = await InferenceSession.create(path, {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // The pattern reserves the memory of a whole run: 40 MB more for the detector, which does not become faster.
    enableMemPattern: false,
    // Warnings about unused initialisers of third-party models are not actionable.
    logSeverityLevel: 3,
  });
  return { session, Tensor };
}
