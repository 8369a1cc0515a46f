import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { exec } from '../../support/exec.ts';
import type { Exec } from '../../../shared/tools/exec.ts';
import { ToolError } from '../../../shared/tools/tool-error.ts';
import { CENTERNET_INPUT } from '../../../services/stage-object-detector/layouts/centernet.ts';
import { decode, decodeArgs } from '../../../services/stage-object-detector/frames.ts';
import { ffmpeg } from '../../support/media.ts';
import { scratch } from './harness.ts';

/** Creates a JPEG of one colour. */
function createJpeg(dir: string, name: string, colour: string, width: number, height: number) {
  const path = join(dir, name);
  ffmpeg('-f', 'lavfi', '-i', `color=${colour}:s=${width}x${height}`, '-frames:v', '1', '-q:v', '1', path);
  return { path, width, height };
}

it('decodes all images with one input, filter and output', () => {
  const size = { width: 640, height: 360 };
  const args = decodeArgs(
    [
      { path: 'a.jpg', ...size },
      { path: 'b.jpg', ...size },
    ],
    CENTERNET_INPUT,
    'all.rgb',
  ).join(' ');
  expect(args).toContain('-i concat:a.jpg|b.jpg ');
  expect(args).toContain('-vf scale=512:288:flags=area+accurate_rnd+bitexact,pad=512:512:0:112:color=gray ');
});

it('returns frames of one size in their order', async () => {
  const dir = scratch();
  const images = ['red', 'blue'].map((colour) => createJpeg(dir, `${colour}.jpg`, colour, 64, 36));
  const together = await decode(images, CENTERNET_INPUT, dir, exec);
  for (const [n, image] of images.entries()) {
    const [alone] = await decode([image], CENTERNET_INPUT, dir, exec);
    expect(together[n]!.image).toBe(image);
    expect(Buffer.from(together[n]!.rgb).equals(alone!.rgb)).toBe(true);
  }
});

it('pads frames of any shape to RGB squares with grey bars', async () => {
  const dir = scratch();
  const decoded = await decode(
    [createJpeg(dir, 'r.jpg', 'red', 64, 36), createJpeg(dir, 'b.jpg', 'blue', 36, 64)],
    CENTERNET_INPUT,
    dir,
    exec,
  );

  const pixel = (n: number, x: number, y: number): number[] => [...decoded[n]!.rgb.subarray((y * 512 + x) * 3).subarray(0, 3)];
  const near = (actual: number[], wanted: number[]): void => {
    actual.forEach((value, n) => expect(Math.abs(value - wanted[n]!)).toBeLessThan(8));
  };
  expect(decoded.map(({ rgb }) => rgb.length)).toEqual([512 * 512 * 3, 512 * 512 * 3]);
  near(pixel(0, 256, 256), [255, 0, 0]);
  near(pixel(0, 256, 50), [128, 128, 128]);
  near(pixel(1, 256, 256), [0, 0, 255]);
  near(pixel(1, 50, 256), [128, 128, 128]);
});

it.each([
  ['an invalid frame', (): Buffer => Buffer.from('not a picture')],
  ['a truncated frame', (whole: Buffer): Buffer => whole.subarray(0, whole.length / 2)],
  ['an empty frame', (): Buffer => Buffer.alloc(0)],
  ['a frame of another format', (): Buffer => Buffer.from('P6 1 1 255\nabc')],
])('reports the name of %s', async (_, spoil) => {
  const dir = scratch();
  const path = join(dir, 'detailed.jpg');
  ffmpeg('-f', 'lavfi', '-i', 'testsrc=s=320x180', '-frames:v', '1', path);
  const bad = join(dir, 'frame_0002.jpg');
  writeFileSync(bad, spoil(readFileSync(path)));

  const pictures = [path, bad, path].map((path) => ({ path, width: 320, height: 180 }));
  await expect(decode(pictures, CENTERNET_INPUT, dir, exec)).rejects.toMatchObject({
    name: 'PermanentError',
    code: 'unreadable-frame',
    message: expect.stringContaining('frame_0002.jpg') as string,
  });
});

it('reports a missing or killed ffmpeg as a tool error', async () => {
  for (const how of [{ cause: new Error('ENOENT') }, { killedBy: 'SIGKILL' as const }, { exitCode: 255, timedOut: true }]) {
    const fault = new ToolError({ command: 'ffmpeg', args: [], ...how });
    const failing: Exec = () => Promise.reject(fault);
    await expect(decode([{ path: 'x.jpg', width: 1, height: 1 }], CENTERNET_INPUT, scratch(), failing)).rejects.toBe(fault);
  }
});
