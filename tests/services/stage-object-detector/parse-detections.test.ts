import { describe, expect, test } from 'vitest';
import { COCO_LABELS } from '../../../services/stage-object-detector/coco.ts';
import { placeImage } from '../../../services/stage-object-detector/input-format.ts';
import { CENTERNET_INPUT } from '../../../services/stage-object-detector/layouts/centernet.ts';
import { parseDetections } from '../../../services/stage-object-detector/parse-detections.ts';

const [PERSON, CAR, BOTTLE, VASE] = ['person', 'car', 'bottle', 'vase'].map((label) => COCO_LABELS.indexOf(label)) as [
  number,
  number,
  number,
  number,
];
const wide = { width: 640, height: 360 };
const model = { input: CENTERNET_INPUT, maxOverlap: 0.6 };

const rows = (...all: number[][]): Float32Array => Float32Array.from(all.flat());

test('contains 80 classes with different names', () => {
  expect(new Set(COCO_LABELS).size).toBe(80);
});

describe('placeImage', () => {
  test.each([
    [
      { width: 640, height: 360 },
      { width: 512, height: 288, left: 0, top: 112 },
    ],
    [
      { width: 360, height: 640 },
      { width: 288, height: 512, left: 112, top: 0 },
    ],
    [
      { width: 200, height: 200 },
      { width: 512, height: 512, left: 0, top: 0 },
    ],
    [
      { width: 5000, height: 1 },
      { width: 512, height: 1, left: 0, top: 255 },
    ],
  ])('%o', (picture, place) => {
    expect(placeImage(picture, CENTERNET_INPUT)).toEqual(place);
  });

  test('puts the bars to the right and below, or fills the input', () => {
    expect(placeImage(wide, { ...CENTERNET_INPUT, fit: 'top-left' })).toEqual({ width: 512, height: 288, left: 0, top: 0 });
    expect(placeImage(wide, { ...CENTERNET_INPUT, fit: 'stretch' })).toEqual({ width: 512, height: 512, left: 0, top: 0 });
  });
});

describe('parseDetections', () => {
  test('converts boxes to pixels of the image', () => {
    expect(parseDetections(rows([128, 112, 256, 256, 0.71239, CAR]), wide, model, 0.3)).toEqual([
      { label: 'car', score: 0.712, box: { x: 160, y: 0, width: 160, height: 180 } },
    ]);
  });

  test('accounts for bars at the sides of a portrait image', () => {
    expect(parseDetections(rows([112, 0, 400, 512, 0.5, PERSON]), { width: 360, height: 640 }, model, 0.3)[0]?.box).toEqual({
      x: 0,
      y: 0,
      width: 360,
      height: 640,
    });
  });

  test('clips boxes to the image, and drops those outside', () => {
    const found = parseDetections(rows([-20, 60, 600, 500, 0.9, PERSON], [10, 0, 90, 100, 0.8, CAR]), wide, model, 0.3);
    expect(found).toEqual([{ label: 'person', score: 0.9, box: { x: 0, y: 0, width: 640, height: 360 } }]);
  });

  test('returns objects above the threshold, highest score first', () => {
    const found = parseDetections(
      rows([0, 120, 50, 200, 0.3, CAR], [100, 120, 150, 200, 0.8, PERSON], [200, 120, 250, 200, 0.29, CAR]),
      wide,
      model,
      0.3,
    );
    expect(found.map(({ label, score }) => [label, score])).toEqual([
      ['person', 0.8],
      ['car', 0.3],
    ]);
  });

  test('keeps the better of two classes for one object, and keeps neighbours', () => {
    const found = parseDetections(
      rows([100, 120, 150, 300, 0.4, VASE], [100, 121, 151, 300, 0.5, BOTTLE], [140, 120, 190, 300, 0.35, BOTTLE]),
      wide,
      model,
      0.3,
    );
    expect(found.map(({ label, score }) => [label, score])).toEqual([
      ['bottle', 0.5],
      ['bottle', 0.35],
    ]);
  });

  test('skips rows without a detection', () => {
    expect(
      parseDetections(
        rows([0, 120, 50, 200, 0.9, NaN], [NaN, 120, 50, 200, 0.9, CAR], [0, 120, 50, 200, NaN, CAR], [0, 120, 50, 200, 0.9, 80]),
        wide,
        model,
        0,
      ),
    ).toEqual([]);
  });
});
