import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { startBackend } from '../../../services/stage-object-detector/backend.ts';

/** Returns whether the native library is installed. The package can be installed without it. */
function hasTensorflow(): boolean {
  try {
    return existsSync(join(dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-node/package.json')), 'lib'));
  } catch {
    return false;
  }
}

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
