import { expect, test } from 'vitest';
import { startBackend } from '../../../services/stage-object-detector/backend.ts';
import { hasTensorflow } from './harness.ts';

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
