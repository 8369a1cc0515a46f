import { describe, expect, it } from 'vitest';
import { findSpeech, computeLevels, SILENCE } from '../../../services/stage-deepspeech/voice-activity.ts';

/** Creates levels from parts of a duration and a level each. */
function levels(...parts: readonly (readonly [seconds: number, level: number])[]): Float64Array {
  return Float64Array.from(parts.flatMap(([seconds, level]) => Array<number>(Math.round(seconds * 100)).fill(level)));
}

/** Samples as a file's reads give them, `size` at a time. */
async function* pieces(samples: Float32Array, size = samples.length): AsyncGenerator<Float32Array> {
  for (let i = 0; i < samples.length; i += size) yield await Promise.resolve(samples.subarray(i, i + size));
}

describe('computeLevels', () => {
  it('returns RMS in dBFS per 10 ms, independent of the size of reads', async () => {
    const sine = Float32Array.from({ length: 16_000 }, (_, i) => 0.5 * Math.sin((2 * Math.PI * 1_000 * i) / 16_000));
    const found = await computeLevels(pieces(sine, 1_000));
    expect(found).toHaveLength(100);
    for (const level of found) expect(level).toBeCloseTo(-9.03, 1);
  });

  it('returns finite levels for digital silence', async () => {
    expect([...(await computeLevels(pieces(new Float32Array(320))))]).toEqual([-120, -120]);
  });

  it('drops a partial frame', async () => {
    expect(await computeLevels(pieces(new Float32Array(159)))).toHaveLength(0);
  });
});

describe('findSpeech', () => {
  it('finds none in silence and quiet noise', () => {
    expect(findSpeech(levels([5, -120]))).toEqual([]);
    expect(findSpeech(levels([5, SILENCE - 1]))).toEqual([]);
    expect(findSpeech(new Float64Array(0))).toEqual([]);
  });

  it('splits at pauses, with a margin', () => {
    expect(findSpeech(levels([1, -80], [2, -20], [1, -80], [1, -20], [1, -80]))).toEqual([
      { start: 0.8, end: 3.2 },
      { start: 3.8, end: 5.2 },
    ]);
  });

  it('does not split at a breath', () => {
    expect(findSpeech(levels([1, -20], [0.3, -80], [1, -20]))).toEqual([{ start: 0, end: 2.3 }]);
  });

  it('ignores a click', () => {
    expect(findSpeech(levels([1, -80], [0.05, -10], [1, -80]))).toEqual([]);
  });

  it('finds speech in background noise', () => {
    expect(findSpeech(levels([1, -50], [2, -15], [1, -50]))).toEqual([{ start: 0.8, end: 3.2 }]);
  });

  it('finds speech that is a small part of a clip', () => {
    expect(findSpeech(levels([60, -80], [1, -30], [60, -80]))).toEqual([{ start: 59.8, end: 61.2 }]);
  });
});
