import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutAtThreshold, roundEnds } from '../../../services/stage-librosa/threshold.ts';

const RATE = 22_050;

function seconds(...intervals: readonly (readonly [number, number])[]): (readonly [number, number])[] {
  return intervals.map(([start, end]) => [start * RATE, end * RATE]);
}

describe('roundEnds', () => {
  it('ends clips where intervals end, rounded up to whole seconds, and keeps the tail', () => {
    expect(roundEnds(seconds([0.5, 2.1], [3, 7], [8, 9.9]), 20.4)).toEqual([3, 7, 10, 20.4]);
  });

  it('passes over an interval that ends in the second of the one before', () => {
    expect(roundEnds(seconds([0, 2.1], [2.3, 2.9], [3.2, 4.5]), 10)).toEqual([3, 5, 10]);
  });

  it('does not round up beyond the end', () => {
    expect(roundEnds(seconds([0, 2.1], [4, 7.3]), 7.6)).toEqual([3, 7.6]);
  });

  it('joins less than a second at the end to the clip before', () => {
    expect(roundEnds(seconds([0, 2.1], [4, 6.8]), 7.6)).toEqual([3, 7.6]);
  });

  it('gives one clip when nothing is left', () => {
    expect(roundEnds(seconds([0, 0.4]), 0.4)).toEqual([0.4]);
    expect(roundEnds([], 12)).toEqual([12]);
  });

  it('gives clips in order, of a second at least, up to the end', () => {
    const interval = fc.tuple(fc.integer({ min: 1, max: 60_000 }), fc.integer({ min: 1, max: 60_000 }));
    fc.assert(
      fc.property(fc.array(interval), fc.integer({ min: 0, max: 100_000 }), (steps, tail) => {
        let time = 0;
        const intervals = steps.map(([pause, sound]) => [(time += pause), (time += sound)] as const);
        const duration = (time + tail + 1) / RATE;
        const ends = roundEnds(intervals, duration);
        const lengths = ends.map((end, i) => end - (ends[i - 1] ?? 0));
        expect(ends.at(-1)).toBe(duration);
        expect(ends.slice(0, -1).every(Number.isInteger)).toBe(true);
        expect(lengths.every((length) => length >= Math.min(1, duration))).toBe(true);
        for (const [, end] of intervals) if (duration - Math.ceil(end / RATE) >= 1) expect(ends).toContain(Math.ceil(end / RATE));
      }),
      { seed: 1 },
    );
  });
});

describe('cutAtThreshold', () => {
  /** Returns a level for each frame of audio of the given duration. */
  function levels(duration: number, level: (i: number) => number): [Float64Array, number] {
    const samples = Math.round(duration * RATE);
    return [Float64Array.from({ length: 1 + Math.floor(samples / 512) }, (_, i) => level(i)), samples];
  }

  it('takes the first threshold that gives enough intervals', () => {
    // 60 s need two: only from 31 dB below the peak on there is a second one.
    const { topDb, ends } = cutAtThreshold(...levels(60, (i) => (i < 430 ? 0 : i > 860 && i < 1_290 ? -30.5 : -80)));
    expect(topDb).toBe(31);
    expect(ends).toEqual([10, 30, 60]);
  });

  it('passes over thresholds that give too many', () => {
    // Every other frame is at −26 dB: 21 intervals a second at 24 and 25 dB, one at 27.
    expect(cutAtThreshold(...levels(10, (i) => (i % 2 ? -26 : 0))).topDb).toBe(27);
  });

  it('gives one clip when no threshold fits', () => {
    expect(cutAtThreshold(...levels(61, () => 0))).toEqual({ topDb: null, ends: [61] });
  });

  it('limits the number of clips to 9 999', () => {
    const hours = levels(6 * 3_600, (i) => (i % 20 ? 0 : -60));
    const { ends } = cutAtThreshold(...hours);
    expect(ends.length).toBeGreaterThan(5_000);
    expect(ends.length).toBeLessThanOrEqual(9_999);
  });
});
