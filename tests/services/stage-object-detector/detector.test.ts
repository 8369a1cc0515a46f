import { cpSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { ROW } from '../../../services/stage-object-detector/parse-detections.ts';
import { type Detector, loadDetector, shippedModel } from '../../../services/stage-object-detector/detector.ts';
import { scratch } from './harness.ts';

describe('loadDetector with the bundled model', () => {
  let detector: Detector;
  let handlers: number;

  beforeAll(async () => {
    handlers = process.listenerCount('uncaughtException') + process.listenerCount('unhandledRejection');
    detector = await loadDetector('', 'wasm');
  });

  it('returns the names of the model and the backend', () => {
    expect(detector).toMatchObject({ model: 'centernet', backend: { name: 'tfjs-wasm' } });
    expect(detector.backend.version).toMatch(/^4\./);
    expect(detector.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it('keeps the crash handlers of the process', () => {
    expect(process.listenerCount('uncaughtException') + process.listenerCount('unhandledRejection')).toBe(handlers);
  });

  it('returns 100 rows per frame by descending score, without leaking tensors', () => {
    const picture = new Uint8Array(512 * 512 * 3).fill(128);
    const rows = detector.detect(picture);
    const tensors = tf.memory().numTensors;
    for (let n = 0; n < 20; n++) detector.detect(picture);

    expect(tf.memory().numTensors).toBe(tensors);
    expect(rows.length).toBe(100 * ROW);
    const scores = Array.from({ length: 100 }, (_, n) => rows[n * ROW + 4] ?? NaN);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
  });
});

describe('loadDetector with an unusable model', () => {
  it('reports the setting of a missing model', async () => {
    await expect(loadDetector(join(scratch(), 'none.json'), 'wasm')).rejects.toMatchObject({
      name: 'PermanentError',
      code: 'detector-model-missing',
      message: expect.stringMatching(/none\.json.*FAVE_DETECTOR_MODEL/) as string,
    });
  });

  it('reports missing weights', async () => {
    const dir = scratch();
    cpSync(shippedModel(), join(dir, 'centernet.json'));
    await expect(loadDetector(join(dir, 'centernet.json'), 'wasm')).rejects.toMatchObject({
      code: 'detector-model-missing',
      message: expect.stringContaining('centernet.bin') as string,
    });
  });

  it.each(['no JSON', '{}', '{"weightsManifest": []}'])('rejects a file that is not a graph model: %s', async (content) => {
    const path = join(scratch(), 'model.json');
    writeFileSync(path, content);
    await expect(loadDetector(path, 'wasm')).rejects.toMatchObject({ name: 'PermanentError', code: 'detector-model-invalid' });
  });

  it('rejects a model with other outputs', async () => {
    const other = join(dirname(shippedModel()), 'blazeface.json');
    await expect(loadDetector(other, 'wasm')).rejects.toMatchObject({
      code: 'detector-model-invalid',
      message: expect.stringContaining('tower_0/detections') as string,
    });
  });
});
