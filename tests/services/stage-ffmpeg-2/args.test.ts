import { expect, test } from 'vitest';
import { speechArgs, videoArgs } from '../../../services/stage-ffmpeg-2/args.ts';
import { toFrameRate } from '../../../shared/media/clip-video.ts';

const value = (args: readonly string[], name: string): string => args[args.indexOf(name) + 1] ?? '';

test('skips the pre-roll and writes audio exactly as long as the clip', () => {
  const args = speechArgs('/clip.mkv', true, { preroll: 3.1, duration: 2.5 }, '/audio.wav');
  expect(value(args, '-filter:a')).toMatch(
    /^asetpts=PTS-3\.1\/TB,.*sample_rates=16000:channel_layouts=mono,apad=whole_len=40000,atrim=end_sample=40000$/,
  );
  expect(args).not.toContain('-copyts');
});

test('writes silence for a clip without audio', () => {
  const args = speechArgs('/clip.mkv', false, { preroll: 3.1, duration: 2.5 }, '/audio.wav');
  expect(args.join(' ')).toContain('anullsrc=r=16000:cl=mono');
  expect(value(args, '-filter:a')).toBe('atrim=end_sample=40000');
});

test('writes exactly the frames of the clip with a fixed number of threads', () => {
  const args = videoArgs('/clip.mkv', { preroll: 3.1, duration: 2.5 }, 25, '/video.mp4');
  expect(value(args, '-frames:v')).toBe('63');
  expect(value(args, '-filter:v')).toMatch(/^setpts=PTS-3\.1\/TB,fps=25,.*format=yuv420p$/);
  expect(args.join(' ')).toMatch(/libx264 .*-crf 30 -preset superfast -threads 2/);
});

test('reads MP4 clips on their own clock, with the frames hidden by the edit list', () => {
  const args = videoArgs('/clip.mp4', { preroll: 0, duration: 1 }, 25, '/video.mp4');
  const input = args.slice(0, args.indexOf('-i')).join(' ');
  expect(input).toContain('-copyts -advanced_editlist 0');
});

test('limits the frame rate of the source to 10–60', () => {
  expect([0, 0.5, 29.97, 1000].map(toFrameRate)).toEqual([10, 10, 29.97, 60]);
});
