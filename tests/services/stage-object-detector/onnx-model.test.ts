import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { root } from '../../../infra/process/paths.ts';
import { COCO_LABELS } from '../../../services/stage-object-detector/coco.ts';
import { detr, detrWithPostProcessing } from '../../../services/stage-object-detector/layouts/detr.ts';
import { floatsOf, type MatchLayout, type Values } from '../../../services/stage-object-detector/layouts/layout.ts';
import { yolox } from '../../../services/stage-object-detector/layouts/yolox.ts';
import { loadDetector } from '../../../services/stage-object-detector/load-detector.ts';
import { parseDetections } from '../../../services/stage-object-detector/parse-detections.ts';
import { scratch } from './harness.ts';

const fixtures = join(root, 'tests/fixtures/detectors');

/** Objects that the post-processing of each project returns for the output of a fixture (make.py). */
const expected = JSON.parse(readFileSync(join(fixtures, 'expected.json'), 'utf8')) as {
  readonly image: { readonly width: number; readonly height: number };
  readonly threshold: number;
  readonly models: Readonly<
    Record<string, readonly { readonly label: number; readonly score: number; readonly box: number[] }[]>
  >;
};

const isClose = (a: number, b: number): boolean => Math.abs(a - b) < 0.06;

describe('loadOnnxDetector', () => {
  it.each(Object.keys(expected.models))('returns the objects that the post-processing of %s returns', async (name) => {
    const detector = await loadDetector(join(fixtures, `${name}.onnx`), 'auto');
    const { image, threshold } = expected;
    const pixels = detector.input.width * detector.input.height * 3;
    const found = parseDetections(await detector.detect(new Uint8Array(pixels)), image, detector, threshold);

    const wanted = expected.models[name]!;
    expect(found.map(({ label }) => label)).toEqual(wanted.map(({ label }) => COCO_LABELS[label]));
    for (const [n, { score, box }] of wanted.entries()) {
      expect(found[n]!.score).toBeCloseTo(score, 3);
      const { x, y, width, height } = found[n]!.box;
      const clip = (value: number, limit: number) => Math.min(Math.max(value, 0), limit);
      const [left, top, right, bottom] = box.map((side, m) => clip(side, m % 2 === 0 ? image.width : image.height));
      const same = isClose(x, left!) && isClose(y, top!) && isClose(x + width, right!) && isClose(y + height, bottom!);
      expect(same, `${JSON.stringify(found[n]!.box)} is not ${JSON.stringify(box)}`).toBe(true);
    }
  });

  it.each(['yolox', 'rt-detr', 'hugging-face'])('rejects %s with other classes', async (name) => {
    await expect(loadDetector(join(fixtures, `${name}-other-classes.onnx`), 'auto')).rejects.toMatchObject({
      code: 'detector-model-invalid',
      message: expect.stringMatching(/has \d+ classes; FAVE supports the 80 classes of COCO/) as string,
    });
  });

  it('rejects a model of another kind and names the supported ones', async () => {
    await expect(loadDetector(join(fixtures, 'classifier.onnx'), 'auto')).rejects.toMatchObject({
      code: 'detector-model-invalid',
      message: expect.stringMatching(/CenterNet, YOLOX, RT-DETR.*maps data \[1,3,32,64\] to probabilities \[1,10\]/) as string,
    });
  });

  it('rejects a file that is not an ONNX model', async () => {
    const path = join(scratch(), 'text.onnx');
    writeFileSync(path, 'no model');
    await expect(loadDetector(path, 'auto')).rejects.toMatchObject({ code: 'detector-model-invalid' });
  });
});

describe('layouts', () => {
  const value = (name: string, shape: (number | string)[]): Values[number] => ({ name, isTensor: true, type: 'float32', shape });
  const exported = [value('images', ['N', 3, 1, 2]), { ...value('orig_target_sizes', ['N', 2]), type: 'int64' as const }];
  const outputs = ['labels', 'boxes', 'scores', 'logits', 'pred_boxes'].map((name) => value(name, []));

  /** Two pixels. */
  const rgb = Uint8Array.of(51, 102, 153, 204, 255, 0);
  const planes = [0.2, 0.8, 0.4, 1, 0.6, 0];

  it.each<[string, MatchLayout, Values, Values, readonly number[]]>([
    ['RGB from 0 to 1 to RT-DETR', detrWithPostProcessing, exported, outputs, planes],
    ['RGB from 0 to 1 to a Hugging Face model', detr, [value('pixel_values', [1, 3, 1, 2])], outputs, planes],
  ])('passes planes of %s', (_, match, inputs, results, wanted) => {
    const layout = match(inputs, results)!;
    const feeds = layout.feeds(rgb, Tensor);
    const found = floatsOf(feeds, inputs[0]!.name);
    expect([...found].map((each) => Math.round(each * 100) / 100)).toEqual(wanted);
    expect(layout.input).toMatchObject({ width: 2, height: 1, fit: 'stretch' });
  });

  it('passes planes of BGR from 0 to 255 to YOLOX', () => {
    const layout = yolox([value('images', [1, 3, 32, 32])], [value('output', [1, 21, 85])])!;
    const pixels = new Uint8Array(32 * 32 * 3).fill(7);
    pixels.set([1, 2, 3]);
    const found = floatsOf(layout.feeds(pixels, Tensor), 'images');
    expect([0, 1, 1024, 2048].map((n) => found[n])).toEqual([3, 7, 2, 1]);
    expect(layout.input).toMatchObject({ width: 32, height: 32, fit: 'top-left', colour: '0x727272' });
  });

  it('rejects a YOLOX model that decodes the grids itself', () => {
    const layout = yolox([value('images', [1, 3, 32, 32])], [value('output', [1, 21, 85])])!;
    const decoded = new Tensor('float32', new Float32Array(21 * 85).fill(12), [1, 21, 85]);
    expect(() => layout.rows({ output: decoded })).toThrow('--decode_in_inference');
  });

  it('recognises the fourth grid of large YOLOX models', () => {
    expect(yolox([value('images', [1, 3, 1280, 1280])], [value('output', [1, 34000, 85])])).toBeDefined();
    expect(yolox([value('images', [1, 3, 1280, 1280])], [value('output', [1, 34001, 85])])).toBeUndefined();
  });

  it('uses 640 for symbolic sides', () => {
    const inputs = [value('pixel_values', ['batch_size', 'num_channels', 'height', 'width'])];
    expect(detr(inputs, outputs)!.input).toMatchObject({ width: 640, height: 640 });
  });
});
