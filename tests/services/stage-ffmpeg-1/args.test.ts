import { describe, expect, test } from 'vitest';
import { containerFor, cutArgs, isSeekable, remuxArgs } from '../../../services/stage-ffmpeg-1/args.ts';
import type { Media } from '../../../schemas/generated/types.ts';

const media = (video?: string, audio?: string): Media => ({
  format: 'mov,mp4',
  duration: 9,
  size: 9,
  video: video === undefined ? null : { codec: video, width: 4, height: 4, rotation: 0, fps: 25, pixel_format: 'yuv420p' },
  audio: audio === undefined ? null : { codec: audio, sample_rate: 48_000, channels: 2 },
});

test.each([
  ['h264', 'aac', 'mp4'],
  ['hevc', undefined, 'mp4'],
  [undefined, 'aac', 'mp4'],
  ['vp8', 'vorbis', 'mkv'],
  ['h264', 'flac', 'mkv'],
  ['mpeg2video', 'aac', 'mkv'],
  [undefined, 'pcm_s16le', 'mkv'],
])('%s with %s is cut into .%s', (video, audio, container) => {
  expect(containerFor(media(video, audio))).toBe(container);
});

test('remuxes containers without an index of keyframes', () => {
  expect(['mov,mp4,m4a,3gp,3g2,mj2', 'matroska,webm', 'wav'].every(isSeekable)).toBe(true);
  expect(['mpegts', 'mpeg', 'avi', 'mp3', 'aac', 'flv', ''].some(isSeekable)).toBe(false);
});

describe('cutArgs', () => {
  const cut = (start: number, target: string): string[] =>
    cutArgs('/in.mp4', media('h264', 'aac'), [{ start, end: start + 2.5, target }]);
  const input = (args: string[]): string[] => args.slice(0, args.indexOf('-i'));

  test('seeks to the start', () => {
    expect(input(cut(3.25, '/clip.mp4')).slice(-4)).toEqual(['-ss', '3.250000', '-t', '2.500000']);
  });

  test('does not seek to 0, which would drop the priming', () => {
    expect(cut(0, '/clip.mp4')).not.toContain('-ss');
  });

  test('keeps the source’s clock in Matroska only', () => {
    expect(input(cut(3, '/clip.mkv'))).toContain('-copyts');
    expect(cut(3, '/clip.mp4')).not.toContain('-copyts');
  });

  test('copies the existing streams', () => {
    const streams = (m: Media): string => cutArgs('/in', m, [{ start: 1, end: 2, target: '/c.mkv' }]).join(' ');
    expect(streams(media('vp8'))).not.toContain('0:a:0');
    expect(streams(media(undefined, 'aac'))).not.toContain('0:V:0');
    expect(streams(media('h264', 'aac'))).toContain('-map 0:V:0 -c:v copy -map 0:a:0 -c:a copy');
    expect(streams(media('h264', 'amr_nb'))).toContain('-c:a pcm_s16le');
  });

  test('maps each input to its clip', () => {
    const cuts = [1, 2].map((start) => ({ start, end: start + 1, target: `/${start}.mp4` }));
    const args = cutArgs('/in', media('h264'), cuts).join(' ');
    expect(args).toMatch(/-ss 1.0+ .*-ss 2.0+ .*-map 0:V:0 .* \/1\.mp4 -map 1:V:0 .* \/2\.mp4$/);
  });
});

test('generates the timestamps that AVI lacks in a remux', () => {
  expect(remuxArgs('/in.avi', media('mpeg4', 'mp3'), '/source.mkv').join(' ')).toMatch(
    /-fflags \+genpts -i .*-c:v copy.*source\.mkv$/,
  );
});
