import { describe, expect, it } from 'vitest';
import { listEntries, mergeDetections, mergeTimeline } from '../../../shared/results/timeline.ts';
import type { Detections, Transcript } from '../../../schemas/generated/types.ts';

/** Creates the detections of a clip from the time and labels of each frame. */
function clip(start: number, end: number, frames: readonly (readonly [number, ...string[]])[]): Detections {
  const box = { x: 0, y: 0, width: 1, height: 1 };
  const shown = frames.map(([time, ...labels], n) => ({
    file: `frame_000${n + 1}.jpg`,
    time,
    width: 4,
    height: 4,
    objects: labels.map((label, m) => ({ label, score: 0.6 + m / 10, box })),
  }));
  return { model: 'centernet', threshold: 0.3, start, end, frames: shown };
}

describe('mergeDetections', () => {
  it('ends an object half way to the next frame without it', () => {
    const seen = mergeDetections([clip(0, 20, [[0, 'cat'], [5, 'cat'], [10], [15, 'cat']])]);
    expect(seen.map(({ start, end }) => [start, end])).toEqual([
      [0, 7.5],
      [15, 20],
    ]);
  });

  /** Creates a clip per score, with one frame each; interval in seconds. */
  const scored = (scores: readonly number[], label = 'cat', interval = 5): Detections[] =>
    scores.map((score, n) => {
      const { frames, ...rest } = clip(n * interval, (n + 1) * interval, [[n * interval, label]]);
      return { ...rest, frames: frames.map((frame) => ({ ...frame, objects: frame.objects.map((one) => ({ ...one, score })) })) };
    });

  it.each([
    ['one confident frame', [0.2, 0.6, 0.2], [[5, 7.5]]],
    ['two consecutive frames that agree', [0.2, 0.4, 0.41, 0.39], [[5, 12.5]]],
    ['no single frame that is not confident', [0.59, 0.39, 0.59], []],
    ['no frames of low scores', [0.39, 0.39, 0.39], []],
    ['the only frame of a video', [0.4], [[0, 5]]],
  ])('lists %s', (_, scores, intervals) => {
    expect(mergeDetections(scored(scores)).map(({ start, end }) => [start, end])).toEqual(intervals);
  });

  it.each(['car', 'bus'])('lists a %s in one frame at a lower score', (label) => {
    expect(mergeDetections(scored([0.34, 0.35, 0.34], label))).toMatchObject([{ label, start: 5, end: 7.5 }]);
    expect(mergeDetections(scored([0.34, 0.35, 0.34], label, 0.6))).toEqual([]);
    expect(mergeDetections(scored([0.34, 0.35, 0.35, 0.34], label, 0.6))).toHaveLength(1);
  });

  it('continues an object across clips in any order', () => {
    const clips = [
      clip(10.02, 20, [[10.02, 'dog']]),
      clip(0, 10, [
        [0, 'dog'],
        [5, 'dog'],
      ]),
    ];
    expect(mergeDetections(clips)).toEqual([{ label: 'dog', start: 0, end: 20, score: 0.6, count: 1 }]);
  });

  it('ends an object before a missing clip', () => {
    const seen = mergeDetections([clip(0, 10, [[0, 'dog']]), clip(20, 30, [[20, 'dog']])]);
    expect(seen.map(({ start, end }) => [start, end])).toEqual([
      [0, 10],
      [20, 30],
    ]);
  });

  it('separates labels and keeps the highest score and count', () => {
    const seen = mergeDetections([
      clip(0, 15, [
        [0, 'cat'],
        [5, 'cat', 'cat', 'dog'],
        [10, 'dog'],
      ]),
    ]);
    expect(seen).toEqual([
      { label: 'cat', start: 0, end: 7.5, score: 0.7, count: 2 },
      { label: 'dog', start: 5, end: 15, score: 0.8, count: 1 },
    ]);
  });

  it('returns no objects without frames', () => {
    expect(mergeDetections([clip(0, 5, [])])).toEqual([]);
  });
});

describe('mergeTimeline', () => {
  const transcript = (start: number, text: string): Transcript => ({
    engine: 'pocketsphinx',
    model: null,
    language: null,
    start,
    end: start + 5,
    text,
    utterances: [{ start, end: start + 1, text, words: [] }],
  });

  it('sorts the utterances of all clips by time', () => {
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

  it('names the speakers of all clips together and omits their voices', () => {
    const voice = (...bytes: readonly number[]): string =>
      Buffer.from(bytes.flatMap((byte) => [byte, byte, byte, byte])).toString('base64');
    const spoken = (start: number, bytes: string): Transcript => {
      const { utterances, ...clip } = transcript(start, 'text');
      return { ...clip, utterances: utterances.map((utterance) => ({ ...utterance, end: start + 4, voice: bytes })) };
    };
    const { utterances } = mergeTimeline({
      transcripts: [spoken(10, voice(0, 255)), spoken(20, voice(250, 60)), spoken(0, voice(255, 0))],
      detections: [],
    });
    expect(utterances.map(({ speaker }) => speaker)).toEqual(['speaker 1', 'speaker 2', 'speaker 1']);
    expect(Object.keys(utterances[0] ?? {})).toEqual(['start', 'end', 'speaker', 'text', 'words']);
  });
});

describe('listEntries', () => {
  it('returns utterances and objects in order of their start', () => {
    const utterances = [{ start: 2, end: 3, text: 'hello', speaker: 'speaker 1', words: [] }];
    const objects = [{ label: 'cat', start: 0, end: 5, score: 0.9, count: 1 }];
    expect(listEntries({ utterances, objects })).toEqual([
      { type: 'object', start: 0, end: 5, label: 'cat', score: 0.9 },
      { type: 'speech', start: 2, end: 3, text: 'hello', speaker: 'speaker 1' },
    ]);
  });
});
