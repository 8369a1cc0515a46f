import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutAtSilence } from '../../../services/stage-librosa/silence.ts';

const HOP_SECONDS = 512 / 22_050;

/** Returns the levels of consecutive parts, each with a duration and a level, and the number of samples of such audio. */
function audio(...parts: readonly (readonly [seconds: number, dB: number])[]): [Float64Array, number] {
  const levels = parts.flatMap(([seconds, dB]) => Array.from({ length: Math.round(seconds / HOP_SECONDS) }, () => dB));
  return [Float64Array.from(levels), (levels.length - 1) * 512];
}

function lengths(ends: readonly number[]): number[] {
  return ends.map((end, i) => end - (ends[i - 1] ?? 0));
}

describe('cutAtSilence', () => {
  it('cuts in the middle of a pause', () => {
    const ends = cutAtSilence(...audio([20, 0], [8, -60], [20, 0]));
    expect(ends).toHaveLength(2);
    expect(Math.abs((ends[0] ?? 0) - 24)).toBeLessThanOrEqual(HOP_SECONDS);
  });

  it('takes the longest of pauses that are too close to cut at each', () => {
    const ends = cutAtSilence(...audio([20, 0], [7, -60], [2, 0], [9, -60], [1, 0], [7, -60], [20, 0]));
    expect(ends).toHaveLength(2);
    expect(Math.abs((ends[0] ?? 0) - 33.5)).toBeLessThanOrEqual(2 * HOP_SECONDS);
  });

  it('leaves out the longest pause for two that are better together', () => {
    const ends = cutAtSilence(...audio([20, 0], [10, -60], [2, 0], [11, -60], [2, 0], [10, -60], [20, 0]));
    expect(ends).toHaveLength(3);
    expect(ends[0]).toBeCloseTo(25, 1);
    expect(ends[1]).toBeCloseTo(50, 1);
  });

  it('cuts once in a long pause, and again only when a clip gets too long', () => {
    expect(cutAtSilence(...audio([30, 0], [60, -60], [30, 0]))).toHaveLength(2);
    expect(cutAtSilence(...audio([30, 0], [300, -60], [30, 0])).length).toBeLessThanOrEqual(6);
  });

  it('leaves a short pause alone where the clip can go on, and takes it where it cannot', () => {
    expect(cutAtSilence(...audio([40, 0], [3, -60], [40, 0]))).toHaveLength(1);
    const ends = cutAtSilence(...audio([59, 0], [0.3, -60], [59, 0]));
    expect(ends).toHaveLength(2);
    expect(ends[0]).toBeCloseTo(59.15, 1);
  });

  it('cuts at the quietest frame where there is no pause', () => {
    const [levels, samples] = audio([150, -3]);
    levels[3_000] = -9;
    expect(cutAtSilence(levels, samples)[0]).toBeCloseTo(3_000 * HOP_SECONDS, 5);
  });

  it('finds the pauses of quiet speech after a loud noise', () => {
    // At 24 dB below the peak all of the speech is one pause.
    const ends = cutAtSilence(...audio([1, 0], [20, -35], [7, -70], [20, -35]));
    expect(ends).toHaveLength(2);
    expect(ends[0]).toBeCloseTo(24.5, 1);
  });

  it('gives clips of 15 to 90 seconds that cover the audio, whatever it sounds like', () => {
    const part = fc.tuple(fc.double({ min: 0.05, max: 120, noNaN: true }), fc.integer({ min: -100, max: 0 }));
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 12 }), fc.integer({ min: 0, max: 511 }), (parts, more) => {
        const [levels, samples] = audio([0.05, 0], ...parts);
        const duration = Math.round(((samples + more) / 22_050) * 1e6) / 1e6;
        const ends = cutAtSilence(levels, samples + more);
        expect(ends.at(-1)).toBe(duration);
        if (duration < 15) expect(ends).toHaveLength(1);
        else for (const length of lengths(ends)) expect(length >= 15 && length <= 90, String(length)).toBe(true);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it.each([15, 29.99, 30, 90, 90.01, 105, 179.99, 180.01, 181])('needs no pause: %d seconds of one level', (seconds) => {
    const [levels, samples] = [new Float64Array(1 + Math.floor((seconds * 22_050) / 512)), seconds * 22_050];
    for (const length of lengths(cutAtSilence(levels, samples))) expect(length >= 15 && length <= 90, String(length)).toBe(true);
  });

  it('limits the number of clips to 9 999', () => {
    // 45 hours, of which 7 of every 15 seconds are a pause.
    const levels = Float64Array.from({ length: 45 * 3_600 * 43 }, (_, i) => (i % 645 < 301 ? -60 : 0));
    const ends = cutAtSilence(levels, (levels.length - 1) * 512);
    expect(ends.length).toBeGreaterThan(5_000);
    expect(ends.length).toBeLessThanOrEqual(9_999);
  });
});
