import { expect, test } from 'vitest';
import { FaveError } from '../../../shared/core/errors.ts';
import type { Exec } from '../../../shared/tools/exec.ts';
import { ToolError } from '../../../shared/tools/tool-error.ts';
import { probe, readProbe } from '../../../shared/media/probe.ts';

const video = {
  codec_type: 'video',
  codec_name: 'h264',
  width: 640,
  height: 360,
  pix_fmt: 'yuv420p',
  avg_frame_rate: '30000/1001',
};
const audio = { codec_type: 'audio', codec_name: 'aac', sample_rate: '48000', channels: 2 };
const format = { format_name: 'mov,mp4', duration: '4.5', start_time: '1.5', size: '99' };

test('reads the first video and audio stream', () => {
  expect(readProbe({ format, streams: [audio, video, { ...audio, channels: 6 }] })).toEqual({
    format: 'mov,mp4',
    start: 1.5,
    duration: 4.5,
    size: 99,
    streams: 3,
    video: { codec: 'h264', width: 640, height: 360, rotation: 0, fps: 29.97, pixel_format: 'yuv420p' },
    audio: { codec: 'aac', sample_rate: 48000, channels: 2 },
  });
});

test.each([
  [-90, 90, 360],
  [90, 270, 360],
  [180, 180, 640],
  [-180, 180, 640],
  [360, 0, 640],
  [-89.6, 90, 360],
])('converts a display matrix of %d° to %d° clockwise', (matrix, rotation, width) => {
  const streams = [{ ...video, side_data_list: [{}, { rotation: matrix }] }];
  expect(readProbe({ format, streams }).video).toMatchObject({ rotation, width });
});

test('ignores a cover picture', () => {
  const cover = { ...video, codec_name: 'mjpeg', disposition: { attached_pic: 1 } };
  expect(readProbe({ format, streams: [cover, audio] }).video).toBeNull();
  expect(readProbe({ format, streams: [cover, video] }).video?.codec).toBe('h264');
});

test('returns null or 0 for missing fields', () => {
  expect(readProbe({})).toEqual({ format: 'unknown', start: 0, duration: 0, size: 0, streams: 0, video: null, audio: null });
  const streams = [
    { codec_type: 'video', codec_name: 'h264', width: 0, height: 0 },
    { ...audio, sample_rate: '0' },
  ];
  expect(readProbe({ format: { duration: '-7', size: 'N/A' }, streams })).toMatchObject({
    duration: 0,
    size: 0,
    video: null,
    audio: null,
  });
  expect(readProbe({ streams: [{ ...video, avg_frame_rate: '0/0', r_frame_rate: '1/0' }] }).video?.fps).toBe(0);
});

test('ignores a stream with a packet count of 0', () => {
  const streams = [video, { ...audio, nb_read_packets: '0' }];
  expect(readProbe({ format, streams })).toMatchObject({ audio: null, video: { codec: 'h264' } });
});

test('throws not-media only if ffprobe rejects the file', async () => {
  const failing =
    (error: Error): Exec =>
    () =>
      Promise.reject(error);
  const run = { command: 'ffprobe', args: [] };
  await expect(probe(failing(new ToolError({ ...run, exitCode: 1 })), 'x.mp4')).rejects.toMatchObject({ code: 'not-media' });
  await expect(probe(failing(new ToolError({ ...run, timedOut: true })), 'x.mp4')).rejects.toMatchObject({
    code: 'tool-timeout',
  });
  await expect(probe(failing(new ToolError({ ...run, killedBy: 'SIGKILL' })), 'x.mp4')).rejects.toMatchObject({
    code: 'tool-failed',
  });
  await expect(probe(failing(new FaveError('cancelled', 'x')), 'x.mp4')).rejects.toMatchObject({ code: 'cancelled' });
});
