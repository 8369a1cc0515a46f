import { expect, test } from 'vitest';
import { checkLimits, type Limits } from '../../../services/stage-ffmpeg-0/limits.ts';

const limit: Limits = { 'max-duration': 60, 'max-pixels': 1000, 'max-fps': 100, 'max-total-pixels': 6e6, 'max-streams': 3 };
const video = { codec: 'h264', width: 40, height: 25, rotation: 0, fps: 100, pixel_format: 'yuv420p' } as const;
const allowed = { duration: 60, streams: 3, video };

test('accepts a file that equals all limits', () => {
  expect(() => checkLimits('a.mp4', allowed, limit)).not.toThrow();
  expect(() => checkLimits('a.mp3', { ...allowed, video: null }, limit)).not.toThrow();
});

test.each([
  ['too-long', { ...allowed, duration: 61 }],
  ['too-many-streams', { ...allowed, streams: 4 }],
  ['too-large', { ...allowed, video: { ...video, width: 41 } }],
  ['too-many-frames', { ...allowed, video: { ...video, fps: 101 } }],
])('%s', (code, found) => {
  expect(() => checkLimits('a.mp4', found, limit)).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining('"a.mp4"') }),
  );
});

test('rejects a video by the pixels of all frames, and assumes ten frames per second if the header states none', () => {
  const total = { ...limit, 'max-total-pixels': 6e6 - 1 };
  expect(() => checkLimits('a.mp4', allowed, total)).toThrow(expect.objectContaining({ code: 'too-many-pixels' }));
  const still = { ...allowed, video: { ...video, fps: 0 } };
  expect(() => checkLimits('a.mp4', still, { ...limit, 'max-total-pixels': 6e5 })).not.toThrow();
  expect(() => checkLimits('a.mp4', still, { ...limit, 'max-total-pixels': 6e5 - 1 })).toThrow(
    expect.objectContaining({ code: 'too-many-pixels' }),
  );
});
