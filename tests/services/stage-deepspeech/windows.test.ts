import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FRAME_SECONDS } from '../../../services/stage-deepspeech/voice-activity.ts';
import { findSkipped, packWindows } from '../../../services/stage-deepspeech/windows.ts';

const silence = new Float32Array(0);

describe('packWindows', () => {
  it('packs spans into windows of at most 29.5 s', () => {
    const windows = packWindows(
      [
        { start: 0, end: 10 },
        { start: 20, end: 35 },
        { start: 40, end: 50 },
      ],
      silence,
    );
    expect(windows).toEqual([
      {
        duration: 25,
        parts: [
          { start: 0, end: 10, at: 0 },
          { start: 20, end: 35, at: 10 },
        ],
      },
      { duration: 10, parts: [{ start: 40, end: 50, at: 0 }] },
    ]);
  });

  it('keeps the audio of a short pause', () => {
    const [window] = packWindows(
      [
        { start: 1, end: 3 },
        { start: 3.4, end: 5 },
      ],
      silence,
    );
    expect(window!.parts.map(({ start, end, at }) => [start, end, at])).toEqual([
      [1, 3.4, 0],
      [3.4, 5, 2.4],
    ]);
  });

  it('cuts a long span where speech is least probable', () => {
    const probabilities = new Float32Array(Math.ceil(60 / FRAME_SECONDS)).fill(0.9);
    probabilities[Math.round(20 / FRAME_SECONDS)] = 0.4;
    const windows = packWindows([{ start: 0, end: 40 }], probabilities);
    expect(windows).toHaveLength(2);
    expect(windows[0]!.duration).toBeCloseTo(20, 1);
    expect(windows[1]!.parts[0]!.start).toBe(windows[0]!.parts[0]!.end);
  });

  it('covers all speech once and in order', () => {
    const spans = fc.array(fc.tuple(fc.double({ min: 0, max: 5, noNaN: true }), fc.double({ min: 0.3, max: 100, noNaN: true })), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(spans, (lengths) => {
        let time = 0;
        const speech = lengths.map(([pause, length]) => {
          const start = time + pause;
          time = start + length;
          return { start, end: time };
        });
        const probabilities = new Float32Array(Math.ceil(time / FRAME_SECONDS)).fill(0.9);
        const windows = packWindows(speech, probabilities);
        for (const { parts, duration } of windows) {
          expect(duration).toBeLessThanOrEqual(30);
          expect(parts.reduce((sum, { start, end }) => sum + end - start, 0)).toBeCloseTo(duration, 6);
        }
        const parts = windows.flatMap((window) => window.parts);
        for (const [n, { start }] of parts.entries()) expect(start).toBeGreaterThanOrEqual(parts[n - 1]?.end ?? 0);
        for (const { start, end } of speech) {
          const covered = parts.filter((part) => part.end > start && part.start < end);
          expect(covered[0]!.start).toBeCloseTo(start, 6);
          expect(covered.at(-1)!.end).toBeGreaterThanOrEqual(end - 1e-6);
        }
      }),
    );
  });
});

describe('findSkipped', () => {
  const window = {
    duration: 25,
    parts: [
      { start: 5, end: 15, at: 0 },
      { start: 30, end: 45, at: 10 },
    ],
  };

  it('returns the end of a window that the decoder left early, from the next span on', () => {
    expect(findSkipped([{ start: 0.2, end: 9.4 }], window)).toEqual([{ duration: 15, parts: [{ start: 30, end: 45, at: 0 }] }]);
  });

  it('returns a gap within a span', () => {
    const recognised = [
      { start: 0, end: 13 },
      { start: 18, end: 24 },
    ];
    expect(findSkipped(recognised, window)).toEqual([{ duration: 5, parts: [{ start: 33, end: 38, at: 0 }] }]);
  });

  it('returns the whole window if nothing was recognised, and nothing for pauses', () => {
    expect(findSkipped([], window)).toEqual([window]);
    expect(
      findSkipped(
        [
          { start: 2, end: 11 },
          { start: 13, end: 23 },
        ],
        window,
      ),
    ).toEqual([]);
  });
});
