import { cpSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ROW } from '../../../services/stage-object-detector/parse-detections.ts';
import { type Detector, loadDetector, shippedModel } from '../../../services/stage-object-detector/detector.ts';
import { cleanUp, scratch } from './harness.ts';

afterEach(cleanUp);

describe('the shipped model', () => {
  let detector: Detector;
  let handlers: number;

  beforeAll(async () => {
    handlers = process.listenerCount('uncaughtException') + process.listenerCount('unhandledRejection');
    detector = await loadDetector('', 'wasm');
  });

  test('says what it is and what computes it', () => {
    expect(detector).toMatchObject({ model: 'centernet', backend: { name: 'tfjs-wasm' } });
    expect(detector.backend.version).toMatch(/^4\./);
    expect(detector.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  test("leaves the process's own crash handlers alone", () => {
    expect(process.listenerCount('uncaughtException') + process.listenerCount('unhandledRejection')).toBe(handlers);
  });

  test('gives 100 rows a picture, best first, and keeps no tensor', () => {
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

describe('a model that cannot be used', () => {
  test('is missing: the setting is named', async () => {
    await expect(loadDetector(join(scratch(), 'none.json'), 'wasm')).rejects.toMatchObject({
      name: 'PermanentError',
      code: 'detector-model-missing',
      message: expect.stringMatching(/none\.json.*FAVE_DETECTOR_MODEL/) as string,
    });
  });

  test('has no weights', async () => {
    const dir = scratch();
    cpSync(shippedModel(), join(dir, 'centernet.json'));
    await expect(loadDetector(join(dir, 'centernet.json'), 'wasm')).rejects.toMatchObject({
      code: 'detector-model-missing',
      message: expect.stringContaining('centernet.bin') as string,
    });
  });

  test.each(['no JSON', '{}', '{"weightsManifest": []}'])('is not a graph model: %s', async (content) => {
    const path = join(scratch(), 'model.json');
    writeFileSync(path, content);
    await expect(loadDetector(path, 'wasm')).rejects.toMatchObject({ name: 'PermanentError', code: 'detector-model-invalid' });
  });

  test('is of another kind', async () => {
    const other = join(dirname(shippedModel()), 'blazeface.json');
    await expect(loadDetector(other, 'wasm')).rejects.toMatchObject({
      code: 'detector-model-invalid',
      message: expect.stringContaining('tower_0/detections') as string,
    });
  });
});
