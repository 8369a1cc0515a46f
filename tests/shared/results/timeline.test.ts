import { describe, expect, it } from 'vitest';
import { mergeDetections, mergeTimeline } from '../../../shared/results/timeline.ts';
import type { Detections, Transcript } from '../../../schemas/generated/types.ts';

/** Detections of a clip: each frame's time and the labels that it shows. */
function clip(start: number, end: number, frames: readonly (readonly [number, ...string[]])[]): Detections {
  const box = { x: 0, y: 0, width: 1, height: 1 };
  const shown = frames.map(([time, ...labels], n) => ({
    file: `frame_000${n + 1}.jpg`,
    time,
    width: 4,
    height: 4,
    objects: labels.map((label, m) => ({ label, score: 0.5 + m / 10, box })),
  }));
  return { model: 'centernet', threshold: 0.3, start, end, frames: shown };
}

describe('what is seen', () => {
  it('lasts from the first frame that shows it until the next that does not', () => {
    const seen = mergeDetections([clip(0, 20, [[0, 'cat'], [5, 'cat'], [10], [15, 'cat']])]);
    expect(seen.map(({ start, end }) => [start, end])).toEqual([
      [0, 10],
      [15, 20],
    ]);
  });

  it('goes on from clip to clip, in whatever order they come', () => {
    const clips = [
      clip(10.02, 20, [[10.02, 'dog']]),
      clip(0, 10, [
        [0, 'dog'],
        [5, 'dog'],
      ]),
    ];
    expect(mergeDetections(clips)).toEqual([{ label: 'dog', start: 0, end: 20, score: 0.5, count: 1 }]);
  });

  it('ends where a clip is missing', () => {
    const seen = mergeDetections([clip(0, 10, [[0, 'dog']]), clip(20, 30, [[20, 'dog']])]);
    expect(seen.map(({ start, end }) => [start, end])).toEqual([
      [0, 10],
      [20, 30],
    ]);
  });

  it('keeps labels apart, the best score and the largest number', () => {
    const seen = mergeDetections([
      clip(0, 15, [
        [0, 'cat'],
        [5, 'cat', 'cat', 'dog'],
        [10, 'dog'],
      ]),
    ]);
    expect(seen).toEqual([
      { label: 'cat', start: 0, end: 10, score: 0.6, count: 2 },
      { label: 'dog', start: 5, end: 15, score: 0.7, count: 1 },
    ]);
  });

  it('is nothing without frames', () => {
    expect(mergeDetections([clip(0, 5, [])])).toEqual([]);
  });
});

describe('a timeline', () => {
  const transcript = (start: number, text: string): Transcript => ({
    engine: 'pocketsphinx',
    model: null,
    language: null,
    start,
    end: start + 5,
    text,
    utterances: [{ start, end: start + 1, text, words: [] }],
  });

  it('has the utterances of all clips in the order of their times', () => {
    const {
      utterances: said,
      engines,
      duration,
    } = mergeTimeline({
      transcripts: [transcript(10, 'two'), transcript(0, 'one')],
      detections: [],
    });
    expect(said.map(({ text }) => text)).toEqual(['one', 'two']);
    expect(engines).toEqual(['pocketsphinx']);
    expect(duration).toBeNull();
  });
});
