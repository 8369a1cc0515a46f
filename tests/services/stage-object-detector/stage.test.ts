import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { COCO_LABELS } from '../../../services/stage-object-detector/coco.ts';
import type { Detector } from '../../../services/stage-object-detector/detector.ts';
import { loadDetector } from '../../../services/stage-object-detector/load-detector.ts';
import { findMedia, NO_MEDIA } from '../../support/media.ts';
import { createManifest, detectIn, frameName, labelsOf, PHOTOGRAPH, scratch, writeFrames } from './harness.ts';

let detector: Detector;

beforeAll(async () => {
  detector = await loadDetector('', 'auto');
});

describe('stage-object-detector', () => {
  it('detects the people in a photograph and records the model', async () => {
    const dir = scratch();
    copyFileSync(PHOTOGRAPH, join(dir, frameName(0)));
    const { ran, detections } = await detectIn(dir, detector);

    expect(ran.outputs.map(({ kind }) => kind.name)).toEqual(['detections']);
    expect(detections).toMatchObject({ model: 'centernet', threshold: 0.3, start: 0, end: 5 });
    expect(ran.used).toEqual({ centernet: `sha256:${detector.sha256.slice(0, 16)}`, onnxruntime: detector.backend.version });

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

  it('returns equal bytes per run and fewer objects for a higher threshold', async () => {
    const dir = scratch();
    copyFileSync(PHOTOGRAPH, join(dir, frameName(0)));
    const first = await detectIn(dir, detector);
    const again = await detectIn(dir, detector);
    const strict = await detectIn(dir, detector, { threshold: 0.5 });

    expect(JSON.stringify(again.detections)).toBe(JSON.stringify(first.detections));
    const best = first.detections.frames[0]!.objects.filter(({ score }) => score >= 0.5);
    expect(best.length).toBeLessThan(first.detections.frames[0]!.objects.length);
    expect(strict.detections.frames[0]!.objects).toEqual(best);
  });

  it('returns detections without frames for an empty manifest', async () => {
    const { detections } = await detectIn(scratch(), detector);
    expect(detections).toEqual({ model: 'centernet', threshold: 0.3, start: 0, end: 0, frames: [] });
  });

  it('keeps the order of more frames than one batch', async () => {
    const dir = scratch();
    for (let n = 0; n < 33; n++) copyFileSync(PHOTOGRAPH, join(dir, frameName(n)));
    const labels = COCO_LABELS.slice(0, 33);
    let next = 0;
    const detect = (): Promise<Float32Array> => Promise.resolve(Float32Array.of(100, 100, 200, 200, 0.9, next++));
    const { detections } = await detectIn(dir, { ...detector, detect });
    expect(detections.frames.map(({ file }) => file)).toEqual(labels.map((_, n) => frameName(n)));
    expect(labelsOf(detections)).toEqual(labels.map((label) => [label]));
  });

  it('rejects a cancelled item between two frames', async () => {
    const dir = scratch();
    for (let n = 0; n < 3; n++) copyFileSync(PHOTOGRAPH, join(dir, frameName(n)));
    const cancelled = new AbortController();
    let runs = 0;
    const detect = (): Promise<Float32Array> => {
      runs += 1;
      setImmediate(() => cancelled.abort(new Error('cancelled')));
      return Promise.resolve(new Float32Array());
    };
    const detecting = detectIn(dir, { ...detector, detect }, { signal: cancelled.signal });
    await expect(detecting).rejects.toThrow('cancelled');
    expect(runs).toBe(1);
  });

  it('rejects a clip with an unreadable frame', async () => {
    const dir = scratch();
    copyFileSync(PHOTOGRAPH, join(dir, frameName(0)));
    const manifest = createManifest(dir);
    writeFileSync(join(dir, frameName(0)), 'not a picture');
    const error = { name: 'PermanentError', code: 'unreadable-frame' };
    await expect(detectIn(dir, detector, { manifest })).rejects.toMatchObject(error);
  });
});

const hasMedia = findMedia('walk-and-talk.mp4') !== undefined;
describe.runIf(hasMedia)(`stage-object-detector on test videos${hasMedia ? '' : `: ${NO_MEDIA}`}`, () => {
  it('locates a person', async () => {
    const { detections } = await detectIn(writeFrames('walk-and-talk.mp4', [2, 17]), detector);
    expect(labelsOf(detections)[0]).toEqual(['person']);
    expect(labelsOf(detections)[1]).toContain('person');
    const { box, score } = detections.frames[0]!.objects[0]!;
    expect(score).toBeGreaterThan(0.6);
    // The person is at (320, 10) to (430, 330) in 640 × 360, measured manually.
    expect(Math.abs(box.x + box.width / 2 - 374)).toBeLessThan(25);
    expect(box.y).toBeLessThan(40);
    expect(box.height).toBeGreaterThan(280);
  });

  it('detects each bottle once', async () => {
    const { detections } = await detectIn(writeFrames('bottle-detection-no-audio.mp4', [3, 30]), detector);
    for (const labels of labelsOf(detections)) {
      const bottles = labels.filter((label) => label === 'bottle').length;
      expect(bottles).toBeGreaterThanOrEqual(1);
      expect(bottles).toBeLessThanOrEqual(3);
      expect(labels).not.toContain('vase');
    }
  });

  it('detects a car that enters the scene', async () => {
    const { detections } = await detectIn(writeFrames('car-detection-silent-track.mp4', [5, 18.5, 27.5]), detector);
    expect(labelsOf(detections).flat()).toContain('car');
  });

  it('returns upright boxes for a rotated video', async () => {
    const { detections } = await detectIn(writeFrames('portrait-rotated.mp4', [2]), detector);
    const [frame] = detections.frames;
    expect(frame).toMatchObject({ width: 360, height: 640 });
    const person = frame!.objects.find(({ label }) => label === 'person')!;
    expect(person.box.height).toBeGreaterThan(person.box.width * 1.5);
    expect(person.box.height).toBeGreaterThan(350);
  });
});
