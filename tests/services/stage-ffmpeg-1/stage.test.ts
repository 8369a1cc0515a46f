import { readFileSync, statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  chirp,
  generateMedia,
  h264,
  findMedia,
  nearest,
  NO_MEDIA,
  createPicture,
  picturesOf,
  samplesOf,
  shiftOf,
} from '../../support/media.ts';
import { cutClips } from '../clips.ts';

const FPS = 25;
const RATE = 16_000;
// None of the starts is a keyframe; the first and the last are the edges.
const bounds = [
  [0, 2.5],
  [2.5, 5.34],
  [5.34, 8],
] as const;

/** Decoding a clip from its pre-roll on must give what the source has there: the same picture and the same sound. */
async function expectExact(source: string, extension: string): Promise<void> {
  const { outputs, audio } = await cutClips(source, bounds);
  expect(outputs.map((clip) => clip.key)).toEqual(bounds.map((_, n) => `stage-ffmpeg-1/clip_000${n + 1}/clip.${extension}`));
  const whole = samplesOf(audio.path, RATE);
  const pictures = picturesOf(generateMedia('reference.mkv', ...moving));
  for (const clip of outputs) {
    const { start = NaN, end = NaN, preroll = NaN } = clip.attributes;
    const part = ['-ss', `${preroll}`, '-t', `${end - start}`];
    const sound = samplesOf(clip.path, RATE, ...part).subarray(0, RATE / 2);
    expect(Math.abs(shiftOf(sound, whole, Math.round(start * RATE), 0.1 * RATE) / RATE - start)).toBeLessThan(1 / FPS);
    const seen = picturesOf(clip.path, ...part);
    expect(Math.abs(seen.length - (end - start) * FPS)).toBeLessThanOrEqual(2);
    expect(Math.abs(nearest(seen[0]!, pictures) / FPS - start)).toBeLessThan(1.6 / FPS);
  }
}

const moving = [...createPicture({ seconds: 8, fps: FPS }), '-c:v', 'ffv1'];
const both = [...createPicture({ seconds: 8, fps: FPS }), ...chirp(8)];
const x264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-bf', '3'];

describe('a copied clip is exact', () => {
  test.each([
    ['open-gop.mp4', 'mp4', [...x264, '-x264-params', 'open-gop=1:keyint=100:min-keyint=100:scenecut=0', '-c:a', 'aac']],
    ['flac.mkv', 'mkv', [...x264, '-g', '100', '-c:a', 'flac']],
    ['vp8.webm', 'mkv', ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-g', '100', '-c:a', 'libvorbis']],
    ['broadcast.ts', 'mp4', [...x264, '-g', '100', '-c:a', 'aac']],
    ['old.avi', 'mp4', ['-c:v', 'mpeg4', '-bf', '2', '-g', '100', '-c:a', 'libmp3lame']],
    ['apple.mov', 'mkv', [...x264, '-g', '100', '-c:a', 'adpcm_ima_qt']],
  ])('%s', async (name, extension, encode) => {
    await expectExact(generateMedia(name, ...both, ...encode), extension);
  });
});

test('cuts audio without video', async () => {
  const { outputs, audio } = await cutClips(generateMedia('tone.m4a', ...chirp(8), '-c:a', 'aac'), bounds);
  const whole = samplesOf(audio.path, RATE);
  for (const { path, attributes } of outputs) {
    const at = (attributes.start ?? NaN) * RATE;
    expect(Math.abs(shiftOf(samplesOf(path, RATE).subarray(0, RATE / 2), whole, Math.round(at), 800) - at)).toBeLessThan(
      RATE / FPS,
    );
  }
});

test('cuts sixteen clips with one process, of equal bytes as with one process each', async () => {
  const source = generateMedia('open.mp4', ...both, ...h264, '-g', '25');
  const all = Array.from({ length: 17 }, (_, n) => [n * 0.4, n * 0.4 + 1] as const);
  const { outputs, executed } = await cutClips(source, all);
  expect(executed.map(({ command }) => command)).toEqual(['ffmpeg', 'ffmpeg']);
  for (const n of [0, 7, 16]) {
    const alone = await cutClips(source, [all[n]!]);
    expect(readFileSync(outputs[n]!.path).equals(readFileSync(alone.outputs[0]!.path))).toBe(true);
  }
});

test('writes a clip for a part without content', async () => {
  const { outputs } = await cutClips(generateMedia('brief.mp4', ...createPicture({ seconds: 8 }), ...chirp(1), ...h264), [
    [0, 4],
    [4, 8],
  ]);
  expect(outputs.every(({ path }) => statSync(path).size > 0)).toBe(true);
});

test('drops a cover picture', async () => {
  const cover = generateMedia('cover.jpg', ...createPicture({ seconds: 0.04 }), '-frames:v', '1');
  const maps = ['-map', '2:v', '-map', '0:v', '-map', '1:a', '-disposition:v:0', 'attached_pic', '-c:v:0', 'mjpeg'];
  const source = generateMedia(
    'covered.mp4',
    ...both,
    '-i',
    cover,
    ...maps,
    '-c:v:1',
    'libx264',
    '-preset',
    'ultrafast',
    '-c:a',
    'aac',
  );
  const { outputs } = await cutClips(source, [[0, 4]]);
  expect(picturesOf(outputs[0]!.path)).toHaveLength(4 * FPS);
});

test('accepts unusual names', async () => {
  const source = generateMedia(`-x 'y' "z" $(touch w).mp4`, ...both, ...h264);
  expect((await cutClips(source, [[1, 2]])).outputs).toHaveLength(1);
});

test('writes equal bytes for equal input of a real video', async ({ skip }) => {
  const source = findMedia('walk-and-talk-copy.webm') ?? skip(NO_MEDIA);
  const [one, two] = [await cutClips(source, [[47, 50]]), await cutClips(source, [[47, 50]])];
  expect(one.outputs[0]!.attributes.preroll).toBeGreaterThan(0);
  expect(readFileSync(one.outputs[0]!.path).equals(readFileSync(two.outputs[0]!.path))).toBe(true);
});
