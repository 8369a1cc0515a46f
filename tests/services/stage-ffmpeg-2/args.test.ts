import { expect, test } from 'vitest';
import { toFrameRate, speechArgs, videoArgs } from '../../../services/stage-ffmpeg-2/args.ts';

const value = (args: readonly string[], name: string): string => args[args.indexOf(name) + 1] ?? '';

test('speech skips the pre-roll and is as long as the clip to the sample', () => {
  const args = speechArgs('/clip.mkv', true, { preroll: 3.1, duration: 2.5 }, '/audio.wav');
  expect(value(args, '-filter:a')).toMatch(
    /^asetpts=PTS-3\.1\/TB,.*sample_rates=16000:channel_layouts=mono,apad=whole_len=40000,atrim=end_sample=40000$/,
  );
  expect(args).not.toContain('-copyts');
});

test('a clip without sound is silence of its length', () => {
  const args = speechArgs('/clip.mkv', false, { preroll: 3.1, duration: 2.5 }, '/audio.wav');
  expect(args.join(' ')).toContain('anullsrc=r=16000:cl=mono');
  expect(value(args, '-filter:a')).toBe('atrim=end_sample=40000');
});

test('the picture has exactly the frames of the clip, and the same bytes on every machine', () => {
  const args = videoArgs('/clip.mkv', { preroll: 3.1, duration: 2.5 }, 25, '/video.mp4');
  expect(value(args, '-frames:v')).toBe('63');
  expect(value(args, '-filter:v')).toMatch(/^setpts=PTS-3\.1\/TB,fps=25,.*format=yuv420p$/);
  expect(args.join(' ')).toMatch(/libx264 .*-crf 30 -preset veryfast -threads 2/);
});

test('MP4 clips are read on their own clock, with the frames that their edit list hides', () => {
  const args = videoArgs('/clip.mp4', { preroll: 0, duration: 1 }, 25, '/video.mp4');
  const input = args.slice(0, args.indexOf('-i')).join(' ');
  expect(input).toContain('-copyts -advanced_editlist 0');
});

test('the frame rate is the source’s, within reason', () => {
  expect([0, 0.5, 29.97, 1000].map(toFrameRate)).toEqual([10, 10, 29.97, 60]);
});
