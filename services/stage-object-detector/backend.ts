import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { messageOf, PermanentError } from '../../shared/core/errors.ts';
import type { Backend, BackendName } from './detector.ts';

const require = createRequire(import.meta.url);

/**
 * Starts a backend of TensorFlow.js: libtensorflow if `@tensorflow/tfjs-node` is complete, else WebAssembly.
 * @throws PermanentError `detector-backend-missing` if the requested backend cannot run.
 */
export async function startBackend(wanted: BackendName): Promise<Backend> {
  if (wanted === 'wasm') return startWasm();
  try {
    return await startTensorflow();
  } catch (error) {
    if (wanted === 'auto') return startWasm();
    const sentence = `FAVE_DETECTOR_BACKEND is "tensorflow", but @tensorflow/tfjs-node does not run here (${messageOf(error)}); set it to "auto", or reinstall that package`;
    throw new PermanentError('detector-backend-missing', sentence, { cause: error });
  }
}

async function startTensorflow(): Promise<Backend> {
  // Its binary is downloaded by npm, which may have failed. A failing import would add half a second to every cold start.
  const home = dirname(require.resolve('@tensorflow/tfjs-node/package.json'));
  if (!existsSync(join(home, 'lib'))) throw new Error('its native library is missing');

  // The name is not a literal, so that the project compiles without the optional package.
  const name: string = '@tensorflow/tfjs-node';
  await import(name);
  const tf = await import('@tensorflow/tfjs-core');
  if (!(await tf.setBackend('tensorflow'))) throw new Error('its native library does not load');
  // On Node.js 23 and newer it loads, but fails at the first operation.
  tf.tidy(() => tf.square(2).dataSync());
  return { name: 'tfjs-node', version: readVersion('@tensorflow/tfjs-node') };
}

async function startWasm(): Promise<Backend> {
  const [tf, wasm] = await Promise.all([import('@tensorflow/tfjs-core'), import('@tensorflow/tfjs-backend-wasm')]);
  wasm.setWasmPaths(join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'dist/'));
  const started = await withoutCrashHandlers(() => tf.setBackend('wasm'));
  if (!started) {
    throw new PermanentError(
      'detector-backend-missing',
      'the WebAssembly backend of TensorFlow.js does not start; reinstall the dependencies with npm ci',
    );
  }
  return { name: 'tfjs-wasm', version: readVersion('@tensorflow/tfjs-backend-wasm') };
}

/**
 * Removes the process-wide handlers that Emscripten adds. They rethrow every error, so the process would exit with code 7 before its
 * own handlers log the reason.
 */
async function withoutCrashHandlers<T>(start: () => Promise<T>): Promise<T> {
  const events = ['uncaughtException', 'unhandledRejection'] as const;
  const before = events.map((event) => new Set<unknown>(process.rawListeners(event)));
  try {
    return await start();
  } finally {
    events.forEach((event, n) => {
      const added = process.rawListeners(event).filter((listener) => !before[n]?.has(listener));
      for (const listener of added) process.off(event, listener as () => void);
    });
  }
}

function readVersion(name: string): string {
  return (require(`${name}/package.json`) as { version: string }).version;
}
