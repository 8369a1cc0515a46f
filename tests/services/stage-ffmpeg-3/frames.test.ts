import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Frames, Media } from '../../../schemas/generated/types.ts';
import { kinds } from '../../../schemas/kinds.ts';
import { parsePosition, toPosition, toSampling } from '../../../services/stage-ffmpeg-3/sampling.ts';
import stage from '../../../services/stage-ffmpeg-3/stage.ts';
import { chirp, generateMedia, h264, nearest, createPicture, picturesOf, writeMedia } from '../../support/media.ts';
import { exec } from '../../support/exec.ts';
import { runStageLocally, type LocalObject, type Ran } from '../../support/stage-harness.ts';
import { cutClips } from '../clips.ts';

const clip = (path: string, start: number, end: number): LocalObject => ({
  kind: kinds.clip,
  path,
  indices: { clip: 3 },
  attributes: { start, end },
});
const made = (seconds: number, fps = 25): string =>
  generateMedia(`${seconds}s-${fps}.mp4`, ...createPicture({ seconds, fps }), '-c:v', 'libx264', '-preset', 'ultrafast');

function extract(item: LocalObject, { fps = 25, interval = 5, width = 320, height = 240 } = {}): Promise<Ran> {
  const video = { codec: 'h264', width, height, rotation: 0, fps, pixel_format: 'yuv420p' } as const;
  const media: Media = { format: 'mov', duration: 1, size: 1, video, audio: null };
  const sibling = { kind: kinds.media, path: writeMedia(`media-${fps}-${width}.json`, JSON.stringify(media)) };
  return runStageLocally(stage, item, { options: { interval }, siblings: [sibling] });
}

/** Four plain colours, of which the third lasts one second, from 7 to 8 s. */
const scenes = (): string => {
  const colours = [
    ['navy', 4],
    ['white', 3],
    ['black', 1],
    ['yellow', 4],
  ].flatMap(([colour, seconds]) => ['-f', 'lavfi', '-i', `color=${colour}:s=320x240:r=25:d=${seconds}`]);
  return generateMedia('scenes.mp4', ...colours, '-filter_complex', 'concat=n=4', ...h264);
};

test('reads positions and the reasons of frames', () => {
  expect(parsePosition('frame:1    pts:175     pts_time:7')).toBe(175);
  expect(parsePosition('lavfi.scene_score=0.5')).toBeUndefined();
  const sampling = toSampling(29.97, 5);
  expect(toPosition(0, sampling)).toEqual({ time: 0, reason: 'interval' });
  // The frame on display at 5 s is the one before, which lasts from 4.971 to 5.005 s.
  expect(toPosition(149, sampling)).toEqual({ time: 5, reason: 'interval' });
  expect(toPosition(150, sampling)).toEqual({ time: 150 / 29.97, reason: 'scene' });
});

test.each([
  [12, 5, [7.25, 12.25, 17.25]],
  [10, 5, [7.25, 12.25]],
  [2, 0.75, [7.25, 8, 8.75]],
  [0.4, 5, [7.25]],
  [0.04, 5, [7.25]],
])('%d s at one each %d s', async (seconds, interval, times) => {
  const ran = await extract(clip(made(seconds), 7.25, 7.25 + seconds), { interval });
  const manifest = await ran.json<Frames>(kinds.frames);
  expect(manifest.frames.map((frame) => frame.time)).toEqual(times);
  expect(manifest).toMatchObject({ start: 7.25, interval });

  // The manifest lists the frames that were uploaded before it.
  const keys = ran.outputs.map((output) => output.key);
  expect(keys).toEqual([
    ...manifest.frames.map(({ file }) => `stage-ffmpeg-3/clip_0003/${file}`),
    'stage-ffmpeg-3/clip_0003/frames.json',
    'stage-ffmpeg-3/clip_0003/video.mp4',
  ]);

  const pictures = picturesOf(made(seconds));
  for (const [n, { path }] of ran.of(kinds.frame).entries()) {
    const [still] = picturesOf(path);
    expect(Math.abs(nearest(still!, pictures) / 25 - n * interval)).toBeLessThanOrEqual(1 / 25);
  }
});

test('repeats frames for an interval shorter than a frame', async () => {
  const ran = await extract(clip(made(0.4, 10), 0, 0.4), { fps: 10, interval: 0.05 });
  expect((await ran.json<Frames>(kinds.frames)).frames.map((frame) => frame.time)).toEqual([
    0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35,
  ]);
});

test('adds a frame for each scene change, so that a scene between two regular frames is not missed', async () => {
  const ran = await extract(clip(scenes(), 0, 12));
  const { frames } = await ran.json<Frames>(kinds.frames);
  expect(frames.map(({ time, reason }) => [time, reason])).toEqual([
    [0, 'interval'],
    [4, 'scene'],
    [5, 'interval'],
    [7, 'scene'],
    [8, 'scene'],
    [10, 'interval'],
  ]);
  const brightness = ran.of(kinds.frame).map(({ path }) => picturesOf(path)[0]![0]!);
  expect(brightness[3]).toBeLessThan(20);
});

test('adds at most two frames per second for flashing light', async () => {
  const flashes = "geq=lum='if(mod(floor(N/3),2),235,16)':cb=128:cr=128";
  const path = generateMedia('flashes.mp4', ...createPicture({ seconds: 4 }), '-vf', flashes, ...h264);
  const { frames } = await (await extract(clip(path, 0, 4))).json<Frames>(kinds.frames);
  const times = frames.filter(({ reason }) => reason === 'scene').map(({ time }) => time);
  expect(times.length).toBeGreaterThan(3);
  expect(times.length).toBeLessThanOrEqual(8);
});

test.each(['mp4', 'mkv'])('counts times of %s clips from their start, not from the keyframe before', async (extension) => {
  const encode = ['-c:v', 'libx264', '-preset', 'veryfast', '-bf', '3', '-g', '200'];
  const sound = extension === 'mp4' ? 'aac' : 'libvorbis';
  const source = generateMedia(`gop.${extension}`, ...createPicture({ seconds: 8 }), ...chirp(8), ...encode, '-c:a', sound);
  const { outputs, media } = await cutClips(source, [[5.34, 7]]);
  const ran = await runStageLocally(stage, outputs[0]!, { options: { interval: 1 }, siblings: [media] });
  expect((await ran.json<Frames>(kinds.frames)).frames.map(({ time }) => time)).toEqual([5.34, 6.34]);
  const reference = picturesOf(generateMedia('reference.mkv', ...createPicture({ seconds: 8 }), '-c:v', 'ffv1'));
  for (const [n, { path }] of ran.of(kinds.frame).entries())
    expect(Math.abs(nearest(picturesOf(path)[0]!, reference) / 25 - 5.34 - n)).toBeLessThan(1.6 / 25);
});

test('writes equal bytes for equal clips', async () => {
  const item = clip(scenes(), 0, 12);
  const [one, two] = [await extract(item), await extract(item)];
  one.outputs.forEach(({ path }, n) => {
    expect(readFileSync(path).equals(readFileSync(two.outputs[n]!.path))).toBe(true);
  });
});

test('states even sides, as those of the video', async () => {
  const odd = ['-vf', 'format=yuv444p,scale=321:241', ...h264];
  const ran = await extract(clip(generateMedia('odd.mp4', ...createPicture({ seconds: 0.4 }), ...odd), 0, 0.4), {
    width: 321,
    height: 241,
  });
  expect((await ran.json<Frames>(kinds.frames)).frames[0]).toMatchObject({ width: 322, height: 242 });
  const size = ['-v', 'error', '-show_entries', 'stream=width,height', '-of', 'csv=p=0'];
  expect((await exec('ffprobe', [...size, ran.of(kinds.frame)[0]!.path])).stdout).toBe('322,242\n');
});

test('writes nothing for a clip without video', async () => {
  const sound = generateMedia('sound.mp4', '-f', 'lavfi', '-i', 'anullsrc', '-t', '1');
  expect((await extract(clip(sound, 0, 1))).outputs).toEqual([]);
});
