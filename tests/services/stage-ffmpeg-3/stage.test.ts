import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Frames } from '../../../schemas/generated/types.ts';
import { kinds } from '../../../schemas/kinds.ts';
import { frameArgs } from '../../../services/stage-ffmpeg-3/args.ts';
import stage from '../../../services/stage-ffmpeg-3/stage.ts';
import { generateMedia, nearest, createPicture, picturesOf } from '../../support/media.ts';
import { runStageLocally, type LocalObject } from '../../support/stage-harness.ts';

const clip = (path: string, start: number, end: number): LocalObject => ({
  kind: kinds.video,
  path,
  indices: { clip: 3 },
  attributes: { start, end },
});
const made = (seconds: number, fps = 25): string =>
  generateMedia(`${seconds}s-${fps}.mp4`, ...createPicture({ seconds, fps }), '-c:v', 'libx264', '-preset', 'ultrafast');

test('selects the frame on display at each time', () => {
  const args = frameArgs('/video.mp4', 5, '/out/frame_%04d.jpg');
  expect(args[args.indexOf('-filter:v') + 1]).toBe('fps=1/5:start_time=0:round=up,format=yuvj420p');
  expect(args[args.indexOf('-frames:v') + 1]).toBe('9999');
});

test.each([
  [12, 5, [7.25, 12.25, 17.25]],
  [10, 5, [7.25, 12.25]],
  [2, 0.75, [7.25, 8, 8.75]],
  [0.4, 5, [7.25]],
  [0.04, 5, [7.25]],
])('%d s at one each %d s', async (seconds, interval, times) => {
  const ran = await runStageLocally(stage, clip(made(seconds), 7.25, 7.25 + seconds), { options: { interval } });
  const manifest = await ran.json<Frames>(kinds.frames);
  expect(manifest.frames.map((frame) => frame.time)).toEqual(times);
  expect(manifest).toMatchObject({ start: 7.25, interval });

  // The manifest lists the frames that were uploaded before it.
  const keys = ran.outputs.map((output) => output.key);
  expect(keys).toEqual([
    ...manifest.frames.map(({ file }) => `stage-ffmpeg-3/clip_0003/${file}`),
    'stage-ffmpeg-3/clip_0003/frames.json',
  ]);

  const pictures = picturesOf(made(seconds));
  for (const [n, { path }] of ran.of(kinds.frame).entries()) {
    const [still] = picturesOf(path);
    expect(Math.abs(nearest(still!, pictures) / 25 - n * interval)).toBeLessThanOrEqual(1 / 25);
  }
});

test('repeats frames for an interval shorter than a frame', async () => {
  const ran = await runStageLocally(stage, clip(made(0.4, 10), 0, 0.4), { options: { interval: 0.05 } });
  expect((await ran.json<Frames>(kinds.frames)).frames.map((frame) => frame.time)).toEqual([
    0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35,
  ]);
});

test('writes equal bytes for equal clips', async () => {
  const item = clip(made(2), 0, 2);
  const [one, two] = [await runStageLocally(stage, item), await runStageLocally(stage, item)];
  one.outputs.forEach(({ path }, n) => {
    expect(readFileSync(path).equals(readFileSync(two.outputs[n]!.path))).toBe(true);
  });
});

test('rejects a clip without video', async () => {
  const sound = generateMedia('sound.mp4', '-f', 'lavfi', '-i', 'anullsrc', '-t', '1');
  await expect(runStageLocally(stage, clip(sound, 0, 1))).rejects.toMatchObject({ code: 'no-frames' });
});
