import { HOP, SPECTRUM_EVERY, type Analysis } from './analyse.ts';
import { FEATURES, SAMPLE_RATE } from './meyda.ts';

/** Clip numbers have four digits. */
export const MAX_CLIPS = 9_999;

/** One clip as in `schemas/artifacts/segments.schema.json`. */
export interface Clip {
  /** Seconds. */
  readonly start: number;
  /** Seconds. */
  readonly end: number;
  readonly features: AudioFeatures;
}

/** Means over the frames of a clip; units as in the schema. */
export interface AudioFeatures {
  readonly rms: number;
  readonly zero_crossing_rate: number;
  readonly spectral_centroid: number;
  readonly spectral_rolloff: number;
  readonly mfcc_mean: readonly number[];
  readonly mfcc_std: readonly number[];
}

/** Converts a number of samples to seconds, rounded to microseconds. */
export function toSeconds(samples: number): number {
  return Math.round((samples / SAMPLE_RATE) * 1e6) / 1e6;
}

/** Returns adjacent clips with their features. @param ends Ends of the clips in seconds, ascending. */
export function toClips(ends: readonly number[], analysis: Analysis): Clip[] {
  return ends.map((end, i) => {
    const start = ends[i - 1] ?? 0;
    return { start, end, features: computeFeatures(start, end, analysis) };
  });
}

/** Returns the features of the frames centred in the clip, or of the nearest frame. */
export function computeFeatures(start: number, end: number, { rms, features }: Analysis): AudioFeatures {
  const loudness = rms.subarray(...framesIn(start, end, HOP, rms.length));
  const [from, to] = framesIn(start, end, HOP * SPECTRUM_EVERY, features.length / FEATURES);
  const columns = Array.from({ length: FEATURES }, (_, column) =>
    Float64Array.from({ length: to - from }, (_, row) => features[(from + row) * FEATURES + column] ?? 0),
  );
  const [crossings = 0, centroid = 0, rolloff = 0, ...mfcc] = columns.map(mean);
  return {
    rms: round(mean(loudness)),
    zero_crossing_rate: round(crossings),
    spectral_centroid: round(centroid),
    spectral_rolloff: round(rolloff),
    mfcc_mean: mfcc.map(round),
    mfcc_std: columns.slice(-mfcc.length).map((column) => round(deviation(column))),
  };
}

/** Returns the range of frames, `hop` samples apart, whose centres are in the clip: at least one frame. */
function framesIn(start: number, end: number, hop: number, count: number): [from: number, to: number] {
  const firstAt = (time: number): number => Math.min(count, Math.ceil((time * SAMPLE_RATE) / hop));
  const [from, to] = [firstAt(start), firstAt(end)];
  if (from < to) return [from, to];
  const nearest = Math.min(count - 1, Math.round((((start + end) / 2) * SAMPLE_RATE) / hop));
  return [nearest, nearest + 1];
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Returns the standard deviation of the population, as `numpy.std`. */
function deviation(values: Float64Array): number {
  const middle = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)));
}

/** Rounds to six significant digits. More would be noise and differ between machines. */
function round(value: number): number {
  return Number(value.toPrecision(6));
}
