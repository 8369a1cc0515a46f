import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as validators from '../../../schemas/generated/validators.mjs';
import { type Detector, loadDetector } from '../../../services/stage-object-detector/detector.ts';
import { cleanUp, detectIn, frameName, writeFrames, labelsOf, createManifest, noMedia, PHOTOGRAPH, scratch } from './harness.ts';

let detector: Detector;

beforeAll(async () => {
  detector = await loadDetector('', 'wasm');
});
afterAll(cleanUp);

describe('a photograph', () => {
  test('of a group: people are found, inside the picture, by the named model', async () => {
    const dir = scratch();
    copyFileSync(PHOTOGRAPH, join(dir, frameName(0)));
    const { stored, used, detections } = await detectIn(dir, detector);

    expect(stored.map(({ name }) => name)).toEqual(['detections']);
    expect(validators.detections(detections)).toBe(true);
    expect(detections).toMatchObject({ model: 'centernet', threshold: 0.3, start: 0, end: 5 });
    expect(used).toEqual({ centernet: `sha256:${detector.sha256.slice(0, 16)}`, 'tfjs-wasm': detector.backend.version });

    const [frame] = detections.frames;
    expect(frame).toMatchObject({ file: 'frame_0001.jpg', time: 0, width: 1280, height: 1158 });
    const labels = frame!.objects.map(({ label }) => label);
    expect(labels.filter((label) => label === 'person').length).toBeGreaterThanOrEqual(4);
    for (const { score, box } of frame!.objects) {
      expect(score).toBeGreaterThanOrEqual(0.3);
      expect(Math.min(box.x, box.y)).toBeGreaterThanOrEqual(0);
      expect(box.x + box.width).toBeLessThanOrEqual(1280.05);
      expect(box.y + box.height).toBeLessThanOrEqual(1158.05);
    }
  });

  test('twice gives the same bytes; a higher threshold gives fewer objects', async () => {
    const dir = scratch();
    copyFileSync(PHOTOGRAPH, join(dir, frameName(0)));
    const first = await detectIn(dir, detector);
    const again = await detectIn(dir, detector);
    const strict = await detectIn(dir, detector, 0.5);

    expect(JSON.stringify(again.detections)).toBe(JSON.stringify(first.detections));
    const best = first.detections.frames[0]!.objects.filter(({ score }) => score >= 0.5);
    expect(best.length).toBeLessThan(first.detections.frames[0]!.objects.length);
    expect(strict.detections.frames[0]!.objects).toEqual(best);
  });
});

test('no frames: detections without frames', async () => {
  const { detections } = await detectIn(scratch(), detector);
  expect(detections).toEqual({ model: 'centernet', threshold: 0.3, start: 0, end: 0, frames: [] });
});

test('more frames than are decoded at once stay in order', async () => {
  const dir = scratch();
  for (let n = 0; n < 9; n++) copyFileSync(PHOTOGRAPH, join(dir, frameName(n)));
  const { detections } = await detectIn(dir, detector);
  expect(detections.frames.map(({ file }) => file)).toEqual(Array.from({ length: 9 }, (_, n) => frameName(n)));
  expect(new Set(detections.frames.map(({ objects }) => JSON.stringify(objects))).size).toBe(1);
});

test('an unreadable frame fails the clip', async () => {
  const dir = scratch();
  copyFileSync(PHOTOGRAPH, join(dir, frameName(0)));
  const manifest = createManifest(dir);
  writeFileSync(join(dir, frameName(0)), 'not a picture');
  await expect(detectIn(dir, detector, 0.3, manifest)).rejects.toMatchObject({
    name: 'PermanentError',
    code: 'unreadable-frame',
  });
});

describe.skipIf(noMedia)(`real footage${noMedia ? `: ${noMedia}` : ''}`, () => {
  test('a person, in the middle of the room', async () => {
    const { detections } = await detectIn(writeFrames('walk-and-talk.mp4', [2, 17]), detector);
    expect(labelsOf(detections)[0]).toEqual(['person']);
    expect(labelsOf(detections)[1]).toContain('person');
    const { box, score } = detections.frames[0]!.objects[0]!;
    expect(score).toBeGreaterThan(0.6);
    // By eye: from (320, 10) to (430, 330) in 640 × 360.
    expect(Math.abs(box.x + box.width / 2 - 374)).toBeLessThan(25);
    expect(box.y).toBeLessThan(40);
    expect(box.height).toBeGreaterThan(280);
  });

  test('bottles, each once', async () => {
    const { detections } = await detectIn(writeFrames('bottle-detection-no-audio.mp4', [3, 30]), detector);
    for (const labels of labelsOf(detections)) {
      const bottles = labels.filter((label) => label === 'bottle').length;
      expect(bottles).toBeGreaterThanOrEqual(1);
      expect(bottles).toBeLessThanOrEqual(3);
      expect(labels).not.toContain('vase');
    }
  });

  test('a car that drives in', async () => {
    const { detections } = await detectIn(writeFrames('car-detection-silent-track.mp4', [5, 18.5, 27.5]), detector);
    expect(labelsOf(detections).flat()).toContain('car');
  });

  test('in an upright video the boxes are upright', async () => {
    const { detections } = await detectIn(writeFrames('portrait-rotated.mp4', [2]), detector);
    const [frame] = detections.frames;
    expect(frame).toMatchObject({ width: 360, height: 640 });
    const person = frame!.objects.find(({ label }) => label === 'person')!;
    expect(person.box.height).toBeGreaterThan(person.box.width * 1.5);
    expect(person.box.height).toBeGreaterThan(350);
  });
});
