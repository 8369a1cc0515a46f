import { describe, expect, it } from 'vitest';
import { toClips, computeFeatures } from '../../../services/stage-librosa/clips.ts';
import { FEATURES } from '../../../services/stage-librosa/meyda.ts';
import { analyseSamples } from './harness.ts';
import { bursts, sequence } from './signal.ts';

function sine(frequency: number, seconds: number): Int16Array {
  return Int16Array.from({ length: seconds * 22_050 }, (_, i) =>
    Math.round(16_384 * Math.sin((2 * Math.PI * frequency * i) / 22_050)),
  );
}

describe('analyse', () => {
  it('computes the level of a frame beyond the first piece of a file', async () => {
    const long = bursts();
    const { samples, rms } = await analyseSamples(long);
    expect(samples).toBe(long.length);
    const frame = [...long.subarray(1_000 * 512 - 1_024, 1_000 * 512 + 1_024)].map((sample) => sample / 32_768);
    expect(rms[1_000]).toBeCloseTo(Math.sqrt(frame.reduce((sum, sample) => sum + sample ** 2, 0) / 2_048), 12);
  });

  it('rejects a file without samples', async () => {
    await expect(analyseSamples(new Int16Array(0))).rejects.toMatchObject({ code: 'unreadable-audio' });
  });
});

describe('computeFeatures', () => {
  it('returns the frequency and amplitude of a tone', async () => {
    const features = computeFeatures(1, 3, await analyseSamples(sine(1_000, 4)));
    expect(features.rms).toBeCloseTo(0.5 / Math.SQRT2, 3);
    expect(features.zero_crossing_rate).toBeCloseTo(2_000 / 22_050, 3);
    expect(Math.abs(features.spectral_centroid - 1_000)).toBeLessThan(22_050 / 2_048);
    expect(Math.abs(features.spectral_rolloff - 1_000)).toBeLessThan(4 * (22_050 / 2_048));
    // A tone is equal in all frames.
    expect(Math.max(...features.mfcc_std)).toBeLessThan(0.1);
  });

  it('returns a higher centroid and other MFCC for a tone one octave higher', async () => {
    const [low, high] = [await analyseSamples(sine(1_000, 1)), await analyseSamples(sine(2_000, 1))].map((analysis) =>
      computeFeatures(0, 1, analysis),
    );
    expect(high?.spectral_centroid).toBeGreaterThan(1.8 * (low?.spectral_centroid ?? Infinity));
    expect(Math.abs((high?.mfcc_mean[1] ?? 0) - (low?.mfcc_mean[1] ?? 0))).toBeGreaterThan(1);
  });

  it('returns 0 for digital silence', async () => {
    const silence = computeFeatures(0, 2, await analyseSamples(new Int16Array(44_100)));
    expect(Object.values(silence).flat()).toEqual(Array<number>(30).fill(0));
  });

  it('averages only the frames of the clip', async () => {
    const [silent, loud] = toClips([2, 4], await analyseSamples(sequence([2.1, 0], [1.9, 20_000])));
    expect(silent?.features.rms).toBe(0);
    expect(loud?.features.rms).toBeGreaterThan(0.3);
  });

  it.each([1, 300, 2_047, 8_820])('returns finite values for %d samples', async (length) => {
    const { features } = toClips([length / 22_050], await analyseSamples(sequence([1, 20_000]).subarray(0, length)))[0] ?? {};
    const values = Object.values(features ?? {}).flat();
    expect(values).toHaveLength(30);
    expect(values.every(Number.isFinite)).toBe(true);
  });

  it('takes the nearest frame for a clip that contains none', () => {
    const analysis = {
      samples: 10 * 512,
      rms: Float64Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
      features: new Float32Array(2 * FEATURES).fill(1, FEATURES),
    };
    const features = computeFeatures((7.6 * 512) / 22_050, (7.9 * 512) / 22_050, analysis);
    expect([features.rms, features.spectral_centroid]).toEqual([8, 1]);
  });

  it('returns means and standard deviations over frames', () => {
    const rows = Float32Array.from({ length: 2 * FEATURES }, (_, i) => (i < FEATURES ? 2 : 4));
    const { mfcc_mean, mfcc_std, ...others } = computeFeatures(0, 1, {
      samples: 11 * 512,
      rms: new Float64Array(12).fill(0.25),
      features: rows,
    });
    expect(others).toEqual({ rms: 0.25, zero_crossing_rate: 3, spectral_centroid: 3, spectral_rolloff: 3 });
    expect([mfcc_mean, mfcc_std]).toEqual([Array<number>(13).fill(3), Array<number>(13).fill(1)]);
  });
});
