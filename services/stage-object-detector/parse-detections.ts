import type { DetectedObject } from '../../schemas/generated/types.ts';
import { COCO_LABELS } from './coco.ts';
import { letterbox, type Size } from './letterbox.ts';

/** Numbers in a row of the model's output: left, top, right, bottom (pixels of the square input), score, class. */
export const ROW = 6;

/**
 * Share of their union that two boxes may have in common. The model gives one place several names ("bottle", "vase"), so boxes of
 * different classes compete too; at 0.6 a rider and the bicycle below both stay.
 */
const MAX_OVERLAP = 0.6;

interface Candidate {
  readonly label: string;
  readonly score: number;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/**
 * What the model saw, best first: scores to 3 decimals, boxes to 0.1 pixel of the picture and inside it.
 * @param rows the model's output, `[100, 6]`
 * @param picture the picture before it was letterboxed
 * @param threshold lowest score that is listed
 */
export function parseDetections(rows: Float32Array, picture: Size, threshold: number): DetectedObject[] {
  const candidates = Array.from({ length: Math.floor(rows.length / ROW) }, (_, n) => candidateOf(rows.subarray(n * ROW), picture))
    .filter((candidate) => candidate !== undefined)
    .filter(({ score, left, top, right, bottom }) => score >= threshold && right > left && bottom > top)
    .sort((a, b) => b.score - a.score);
  return withoutDuplicates(candidates).map(({ label, score, left, top, right, bottom }) => ({
    label,
    score,
    box: { x: left, y: top, width: rounded(right - left, 10), height: rounded(bottom - top, 10) },
  }));
}

/** Nothing where the row holds no known class or no number: NaN would break the order of what follows. */
function candidateOf(row: Float32Array, picture: Size): Candidate | undefined {
  const [x0 = NaN, y0 = NaN, x1 = NaN, y1 = NaN, score = NaN, category = NaN] = row;
  const label = COCO_LABELS[category];
  if (label === undefined || ![x0, y0, x1, y1, score].every(Number.isFinite)) return undefined;

  const { left, top, width, height } = letterbox(picture);
  const x = (value: number): number => rounded(within((value - left) * (picture.width / width), picture.width), 10);
  const y = (value: number): number => rounded(within((value - top) * (picture.height / height), picture.height), 10);
  return { label, score: rounded(within(score, 1), 1000), left: x(x0), top: y(y0), right: x(x1), bottom: y(y1) };
}

/** Greedy non-maximum suppression across classes. @param candidates best first */
function withoutDuplicates(candidates: readonly Candidate[]): Candidate[] {
  const kept: Candidate[] = [];
  for (const candidate of candidates) {
    if (kept.every((better) => computeIou(better, candidate) <= MAX_OVERLAP)) kept.push(candidate);
  }
  return kept;
}

/** Intersection over union. */
function computeIou(a: Candidate, b: Candidate): number {
  const width = Math.max(0, Math.min(a.right, b.right) - Math.max(a.left, b.left));
  const height = Math.max(0, Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top));
  const common = width * height;
  return common / (areaOf(a) + areaOf(b) - common);
}

function areaOf({ left, top, right, bottom }: Candidate): number {
  return (right - left) * (bottom - top);
}

function within(value: number, maximum: number): number {
  return Math.min(Math.max(value, 0), maximum);
}

function rounded(value: number, steps: number): number {
  return Math.round(value * steps) / steps;
}
