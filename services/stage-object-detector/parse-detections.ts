import type { DetectedObject } from '../../schemas/generated/types.ts';
import { COCO_LABELS } from './coco.ts';
import { type Detector, ROW } from './detector.ts';
import { type Placement, placeImage, type Size } from './input-format.ts';

interface Candidate {
  readonly label: string;
  readonly score: number;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/**
 * Returns the detected objects, highest score first: scores to 3 decimals, boxes to 0.1 pixel and inside the image.
 * @param rows Rows of the detector, `[n, 6]`.
 * @param image Size of the image before it was placed in the input of the model.
 * @param threshold Minimum score.
 */
export function parseDetections(
  rows: Float32Array,
  image: Size,
  { input, maxOverlap }: Pick<Detector, 'input' | 'maxOverlap'>,
  threshold: number,
): DetectedObject[] {
  const place = placeImage(image, input);
  const candidates = Array.from({ length: Math.floor(rows.length / ROW) }, (_, n) =>
    toCandidate(rows.subarray(n * ROW), image, place),
  )
    .filter((candidate) => candidate !== undefined)
    .filter(({ score, left, top, right, bottom }) => score >= threshold && right > left && bottom > top)
    .sort((a, b) => b.score - a.score);
  return withoutDuplicates(candidates, maxOverlap).map(({ label, score, left, top, right, bottom }) => ({
    label,
    score,
    box: { x: left, y: top, width: round(right - left, 10), height: round(bottom - top, 10) },
  }));
}

/** Parses a row. Returns undefined if it has an unknown class or NaN, which would break the sort order. */
function toCandidate(row: Float32Array, image: Size, { left, top, width, height }: Placement): Candidate | undefined {
  const [x0 = NaN, y0 = NaN, x1 = NaN, y1 = NaN, score = NaN, category = NaN] = row;
  const label = COCO_LABELS[category];
  if (label === undefined || ![x0, y0, x1, y1, score].every(Number.isFinite)) return undefined;

  const x = (value: number): number => round(clamp((value - left) * (image.width / width), image.width), 10);
  const y = (value: number): number => round(clamp((value - top) * (image.height / height), image.height), 10);
  return { label, score: round(clamp(score, 1), 1000), left: x(x0), top: y(y0), right: x(x1), bottom: y(y1) };
}

/** Applies greedy non-maximum suppression across classes. @param candidates Sorted by score, highest first. */
function withoutDuplicates(candidates: readonly Candidate[], maxOverlap: number): Candidate[] {
  const kept: Candidate[] = [];
  for (const candidate of candidates) {
    if (kept.every((better) => computeIou(better, candidate) <= maxOverlap)) kept.push(candidate);
  }
  return kept;
}

/** Returns the intersection over union. */
function computeIou(a: Candidate, b: Candidate): number {
  const width = Math.max(0, Math.min(a.right, b.right) - Math.max(a.left, b.left));
  const height = Math.max(0, Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top));
  const common = width * height;
  return common / (areaOf(a) + areaOf(b) - common);
}

function areaOf({ left, top, right, bottom }: Candidate): number {
  return (right - left) * (bottom - top);
}

function clamp(value: number, maximum: number): number {
  return Math.min(Math.max(value, 0), maximum);
}

function round(value: number, steps: number): number {
  return Math.round(value * steps) / steps;
}
