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
    const ends = cutAtSilence(...audio([12, 0], [2, -60], [11, 0]));
    expect(ends).toHaveLength(2);
    expect(Math.abs((ends[0] ?? 0) - 13)).toBeLessThanOrEqual(HOP_SECONDS);
  });

  it('takes the longest of pauses that are too close to cut at each', () => {
    const ends = cutAtSilence(...audio([10, 0], [1.2, -60], [2, 0], [3, -60], [1, 0], [1.2, -60], [10, 0]));
    expect(ends).toHaveLength(2);
    expect(Math.abs((ends[0] ?? 0) - 14.7)).toBeLessThanOrEqual(2 * HOP_SECONDS);
  });

  it('leaves out the longest pause for two that are better together', () => {
    const ends = cutAtSilence(...audio([8, 0], [1.5, -60], [2, 0], [1.8, -60], [2, 0], [1.5, -60], [8, 0]));
    expect(ends).toHaveLength(3);
    expect(ends[0]).toBeCloseTo(8.75, 1);
    expect(ends[1]).toBeCloseTo(16.05, 1);
  });

  it('cuts once in a long pause, and again only when a clip gets too long', () => {
    expect(cutAtSilence(...audio([15, 0], [20, -60], [15, 0]))).toHaveLength(2);
    expect(cutAtSilence(...audio([15, 0], [100, -60], [15, 0])).length).toBeLessThanOrEqual(6);
  });

  it('leaves a breath alone where the clip can go on, and takes it where it cannot', () => {
    expect(cutAtSilence(...audio([14, 0], [0.3, -60], [14, 0]))).toHaveLength(1);
    const ends = cutAtSilence(...audio([19, 0], [0.3, -60], [19, 0]));
    expect(ends).toHaveLength(2);
    expect(ends[0]).toBeCloseTo(19.15, 1);
  });

  it('cuts at the quietest frame where there is no pause', () => {
    const [levels, samples] = audio([50, -3]);
    levels[1_000] = -9;
    expect(cutAtSilence(levels, samples)[0]).toBeCloseTo(1_000 * HOP_SECONDS, 5);
  });

  it('finds the pauses of quiet speech after a loud noise', () => {
    // At 24 dB below the peak all of the speech is one pause.
    const ends = cutAtSilence(...audio([1, 0], [20, -35], [1.5, -70], [20, -35]));
    expect(ends).toHaveLength(2);
    expect(ends[0]).toBeCloseTo(21.75, 1);
  });

  it('gives clips of 5 to 30 seconds that cover the audio, whatever it sounds like', () => {
    const part = fc.tuple(fc.double({ min: 0.05, max: 40, noNaN: true }), fc.integer({ min: -100, max: 0 }));
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 12 }), fc.integer({ min: 0, max: 511 }), (parts, more) => {
        const [levels, samples] = audio([0.05, 0], ...parts);
        const duration = Math.round(((samples + more) / 22_050) * 1e6) / 1e6;
        const ends = cutAtSilence(levels, samples + more);
        expect(ends.at(-1)).toBe(duration);
        if (duration < 5) expect(ends).toHaveLength(1);
        else for (const length of lengths(ends)) expect(length >= 5 && length <= 30, String(length)).toBe(true);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it.each([5, 9.99, 10, 30, 30.01, 35, 59.99, 60.01, 61])('needs no pause: %d seconds of one level', (seconds) => {
    const [levels, samples] = [new Float64Array(1 + Math.floor((seconds * 22_050) / 512)), seconds * 22_050];
    for (const length of lengths(cutAtSilence(levels, samples))) expect(length >= 5 && length <= 30, String(length)).toBe(true);
  });

  it('limits the number of clips to 9 999', () => {
    // 15 hours in which each fifth second is a pause.
    const levels = Float64Array.from({ length: 15 * 3_600 * 43 }, (_, i) => (i % 215 < 60 ? -60 : 0));
    const ends = cutAtSilence(levels, (levels.length - 1) * 512);
    expect(ends.length).toBeGreaterThan(5_000);
    expect(ends.length).toBeLessThanOrEqual(9_999);
  });
});
