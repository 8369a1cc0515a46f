import { expect, test } from 'vitest';
import { pictureArgs } from '../../../services/stage-ffmpeg-3/args.ts';
import { toSampling } from '../../../services/stage-ffmpeg-3/sampling.ts';
import { toFrameRate } from '../../../shared/media/clip-video.ts';

const value = (args: readonly string[], name: string, nth = 0): string => {
  const positions = args.flatMap((arg, n) => (arg === name ? [n] : []));
  return args[(positions[nth] ?? NaN) + 1] ?? '';
};

const argsOf = (clip: string, preroll = 0, duration = 1): string[] =>
  pictureArgs(clip, { preroll, duration }, { fps: 25, sampling: toSampling(25, 5) }, '/video.mp4', '/frame_%04d.jpg');

test('writes exactly the frames of the clip with a fixed number of threads', () => {
  const args = argsOf('/clip.mkv', 3.1, 2.5);
  expect(value(args, '-frames:v')).toBe('63');
  expect(value(args, '-filter:v')).toMatch(/^setpts=PTS-3\.1\/TB,fps=25,.*format=yuv420p$/);
  expect(args.join(' ')).toMatch(/libx264 .*-crf 29\.3 -preset superfast -threads 2/);
});

test('reads MP4 clips on their own clock, with the frames hidden by the edit list', () => {
  const args = argsOf('/clip.mp4');
  expect(args.slice(0, args.indexOf('-i')).join(' ')).toContain('-copyts -advanced_editlist 0');
});

test('limits the number of frames to the four digits of their names', () => {
  expect(value(argsOf('/clip.mp4'), '-frames:v', 1)).toBe('9999');
});

test('limits the frame rate of the source to 10–60', () => {
  expect([0, 0.5, 29.97, 1000].map(toFrameRate)).toEqual([10, 10, 29.97, 60]);
});
