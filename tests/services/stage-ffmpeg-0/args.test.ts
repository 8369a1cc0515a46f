import { expect, test } from 'vitest';
import { audioOutput } from '../../../services/stage-ffmpeg-0/args.ts';

test('writes the first audio stream as mono audio at 22 050 Hz, at most as long as allowed', () => {
  const args = audioOutput(60, '/audio.wav').join(' ');
  expect(args).toContain('-map 0:a:0 -filter:a aresample=async=1:min_hard_comp=0.03:first_pts=0,');
  expect(args).toMatch(/sample_rates=22050:channel_layouts=mono -c:a pcm_s16le -t 60 .*\/audio\.wav$/);
});
