import { describe, expect, test, vi } from 'vitest';
import { startBackend } from '../../../services/stage-object-detector/backend.ts';
import { loadDetector } from '../../../services/stage-object-detector/load-detector.ts';
import { shippedModelPath } from '../../../shared/onnx/shipped-model.ts';
import { hasTensorflow } from './harness.ts';

/** ONNX Runtime does not load in this file. */
vi.mock('../../../shared/onnx/session.ts', () => ({ importRuntime: () => Promise.reject(new Error('no library')) }));

test.skipIf(hasTensorflow())(
  'falls back to WebAssembly with auto, and rejects tensorflow, without the native library',
  async () => {
    await expect(startBackend('tensorflow')).rejects.toMatchObject({
      name: 'PermanentError',
      code: 'detector-backend-missing',
      message: expect.stringContaining('FAVE_DETECTOR_BACKEND') as string,
    });
    expect(await startBackend('auto')).toEqual(await startBackend('wasm'));
  },
);

describe('loadDetector without ONNX Runtime', () => {
  test('falls back to TensorFlow.js with auto', async () => {
    const { backend, model } = await loadDetector('', 'auto');
    expect({ backend: backend.name, model }).toEqual({
      backend: hasTensorflow() ? 'tfjs-node' : 'tfjs-wasm',
      model: 'centernet',
    });
  });

  test('rejects onnxruntime, and other ONNX models', async () => {
    const error = { code: 'detector-backend-missing', message: expect.stringContaining('no library') as string };
    await expect(loadDetector('', 'onnxruntime')).rejects.toMatchObject(error);
    await expect(loadDetector(shippedModelPath('centernet.onnx'), 'auto')).rejects.toMatchObject(error);
  });
});
