import { expect, test } from 'vitest';
import { audioArgs } from '../../../services/stage-ffmpeg-0/args.ts';

const filters = (args: readonly string[]): string => args[args.indexOf('-filter:a') + 1] ?? '';

test('writes mono audio at 22 050 Hz, exactly as long as the source', () => {
  const audio = { codec: 'aac', sample_rate: 48_000, channels: 2 };
  const args = audioArgs('/in.mp4', { audio, duration: 2 }, '/audio.wav');
  expect(filters(args)).toMatch(
    /first_pts=0,.*sample_rates=22050:channel_layouts=mono,apad=whole_len=44100,atrim=end_sample=44100$/,
  );
  expect(args).toEqual(expect.arrayContaining(['file:/in.mp4', '0:a:0', 'pcm_s16le']));
});

test('does not open a source without audio', () => {
  const args = audioArgs('/in.mp4', { audio: null, duration: 2 }, '/audio.wav');
  expect(args.join(' ')).toContain('-f lavfi -i anullsrc=r=22050:cl=mono');
  expect(args).not.toContain('file:/in.mp4');
  expect(filters(args)).toBe('atrim=end_sample=44100');
});
