import { cpSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Detector, ROW } from '../../../services/stage-object-detector/detector.ts';
import { decode } from '../../../services/stage-object-detector/frames.ts';
import { bundledGraphModel, loadDetector } from '../../../services/stage-object-detector/load-detector.ts';
import { exec } from '../../support/exec.ts';
import { findMedia } from '../../support/media.ts';
import { hasTensorflow, PHOTOGRAPH, scratch, writeFrames } from './harness.ts';

/** Decodes the photograph and, where the test media are, frames of each scene of a test video. */
async function decodeSamples({ input }: Detector) {
  const photograph = { path: PHOTOGRAPH, width: 1280, height: 1158 };
  const dir = scratch();
  if (!findMedia('walk-and-talk.mp4')) return decode([photograph], input, dir, exec);
  const times = [2, 20, 40];
  const frames = writeFrames('walk-and-talk.mp4', times);
  const images = times.map((_, n) => ({ path: join(frames, `frame_000${n + 1}.jpg`), width: 640, height: 360 }));
  return decode([photograph, ...images], input, dir, exec);
}

function rowsOf(detections: Float32Array): number[][] {
  return Array.from({ length: detections.length / ROW }, (_, n) => [...detections.subarray(n * ROW, (n + 1) * ROW)]);
}

describe('loadDetector with the shipped model', () => {
  let onnx: Detector;
  let wasm: Detector;
  let handlers: number;

  beforeAll(async () => {
    onnx = await loadDetector('', 'auto');
    handlers = process.listenerCount('uncaughtException') + process.listenerCount('unhandledRejection');
    wasm = await loadDetector('', 'wasm');
  });

  it('prefers ONNX Runtime and returns the names of the model and the backend', () => {
    expect(onnx).toMatchObject({ model: 'centernet', backend: { name: 'onnxruntime' } });
    expect(wasm).toMatchObject({ model: 'centernet', backend: { name: 'tfjs-wasm' } });
    expect([onnx.backend.version, wasm.backend.version]).toEqual([
      expect.stringMatching(/^1\./) as string,
      expect.stringMatching(/^4\./) as string,
    ]);
    expect(onnx.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it('keeps the crash handlers of the process', () => {
    expect(process.listenerCount('uncaughtException') + process.listenerCount('unhandledRejection')).toBe(handlers);
  });

  it('returns equal boxes (0.01 px) and scores from each backend', async () => {
    const others = hasTensorflow() ? [wasm, await loadDetector('', 'tensorflow')] : [wasm];
    for (const { rgb } of await decodeSamples(onnx)) {
      const expected = rowsOf(await onnx.detect(rgb)).filter(([, , , , score]) => score! >= 0.1);
      expect(expected.length).toBeGreaterThan(0);
      for (const other of others) {
        const found = rowsOf(await other.detect(rgb));
        const isSame = (a: readonly number[], b: readonly number[]) => a.every((value, n) => Math.abs(value - b[n]!) < 0.01);
        expect(expected.filter((row) => !found.some((each) => isSame(row, each)))).toEqual([]);
      }
    }
  });

  it('returns 100 rows per frame by descending score, without leaking tensors', async () => {
    const picture = new Uint8Array(512 * 512 * 3).fill(128);
    const rows = await wasm.detect(picture);
    const tensors = tf.memory().numTensors;
    for (let n = 0; n < 3; n++) await wasm.detect(picture);

    expect(tf.memory().numTensors).toBe(tensors);
    expect(rows.length).toBe(100 * ROW);
    const scores = Array.from({ length: 100 }, (_, n) => rows[n * ROW + 4] ?? NaN);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
  });
});

describe('loadDetector with an unusable model', () => {
  it.each(['none.json', 'none.onnx'])('reports the setting of the missing model %s', async (name) => {
    await expect(loadDetector(join(scratch(), name), 'auto')).rejects.toMatchObject({
      name: 'PermanentError',
      code: 'detector-model-missing',
      message: expect.stringMatching(new RegExp(`${name}.*FAVE_DETECTOR_MODEL`)) as string,
    });
  });

  it('reports missing weights', async () => {
    const dir = scratch();
    cpSync(bundledGraphModel(), join(dir, 'centernet.json'));
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

  it('rejects a graph model with other outputs', async () => {
    const other = join(dirname(bundledGraphModel()), 'blazeface.json');
    await expect(loadDetector(other, 'wasm')).rejects.toMatchObject({
      code: 'detector-model-invalid',
      message: expect.stringContaining('tower_0/detections') as string,
    });
  });

  it.each([
    ['model.onnx', 'wasm'],
    ['model.json', 'onnxruntime'],
  ] as const)('rejects %s with the backend %s', async (name, backend) => {
    await expect(loadDetector(join(scratch(), name), backend)).rejects.toMatchObject({
      code: 'detector-backend-missing',
      message: expect.stringContaining(`FAVE_DETECTOR_BACKEND is "${backend}"`) as string,
    });
  });
});
