import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { kinds } from '../../../schemas/kinds.ts';
import stage from '../../../services/stage-ffmpeg-2/stage.ts';
import { exec } from '../../support/exec.ts';
import { probe, type Probe } from '../../../shared/media/probe.ts';
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
import { runStageLocally, type Ran } from '../../support/stage-harness.ts';
import { cutClips } from '../clips.ts';

const RATE = 16_000;

/** A part of a source, cut and rendered. */
async function render(
  source: string,
  start: number,
  end: number,
): Promise<Ran & { video: Probe['video']; frames: Uint8Array[]; sound: Int16Array; whole: Int16Array }> {
  const { outputs, media, audio } = await cutClips(source, [[start, end]]);
  const ran = await runStageLocally(stage, { ...outputs[0]! }, { siblings: [media] });
  const [speech] = ran.of(kinds.speech);
  const [made] = ran.of(kinds.video);
  const video = made ? (await probe(exec, made.path)).video : null;
  const frames = made ? picturesOf(made.path) : [];
  const sound = samplesOf(speech!.path, RATE);
  expect(sound.length).toBe(Math.round((end - start) * RATE));
  if (video) expect(Math.abs(frames.length / video.fps - (end - start))).toBeLessThan(1 / video.fps);
  return { ...ran, video, frames, sound, whole: samplesOf(audio.path, RATE) };
}

describe('real media', () => {
  test.for([
    ['walk-and-talk.mp4', 46.2, 49.9, 640, 360],
    ['walk-and-talk-copy.webm', 47, 50.3, 320, 180],
    ['bottle-detection-no-audio.mp4', 5, 8.3, 640, 360],
    ['car-detection-silent-track.mp4', 3.3, 5, 768, 432],
    ['portrait-rotated.mp4', 2.1, 4, 360, 640],
    ['hevc-10bit-tiny.mp4', 0, 1, 200, 200],
    ['audio-only-sonnet1.mp4', 2, 5, undefined, undefined],
    ['jfk.wav', 0, 11, undefined, undefined],
  ] as const)('%s from %d to %d s', async ([name, start, end, width, height], { skip }) => {
    const { video, outputs } = await render(findMedia(name) ?? skip(NO_MEDIA), start, end);
    expect(outputs[0]?.kind).toBe(kinds.speech);
    expect([video?.width, video?.height]).toEqual([width, height]);
    if (video) expect(video).toMatchObject({ codec: 'h264', rotation: 0, pixel_format: 'yuv420p' });
    else expect(outputs).toHaveLength(1);
  });
});

describe('a rendition begins where its clip begins', () => {
  const both = [...createPicture({ seconds: 8 }), ...chirp(8)];
  const x264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-bf', '3', '-g', '100'];
  test.each([
    ['plain.mp4', [...x264, '-c:a', 'aac'], 0],
    ['plain.mkv', [...x264, '-c:a', 'libvorbis'], 0],
    // Without an edit list this muxer leaves the delay of its two B-frames in the file: the pictures are that late in it.
    ['fragments.mp4', [...x264, '-c:a', 'aac', '-movflags', 'frag_keyframe+empty_moov'], 2 / 25],
  ] as const)('%s', async (name, encode, late) => {
    const { frames, sound, whole } = await render(generateMedia(name, ...both, ...encode), 5.34, 7);
    expect(Math.abs(shiftOf(sound.subarray(0, RATE / 2), whole, 5.34 * RATE, 1600) / RATE - 5.34)).toBeLessThan(0.01);
    const reference = picturesOf(generateMedia('reference.mkv', ...createPicture({ seconds: 8 }), '-c:v', 'ffv1'));
    for (const n of [0, 10, frames.length - 1])
      expect(Math.abs(nearest(frames[n]!, reference) / 25 + late - 5.34 - n / 25)).toBeLessThan(1.6 / 25);
  });
});

test('shows the slide on display at the start of the clip', async () => {
  const slides = createPicture({ seconds: 20, fps: '1/5' });
  const source = generateMedia('slides.mp4', ...slides, ...chirp(20), '-c:v', 'libx264', '-g', '2', '-c:a', 'aac');
  const reference = picturesOf(generateMedia('slides.mkv', ...slides, '-c:v', 'ffv1'));
  const { frames } = await render(source, 7, 11);
  expect([nearest(frames[0]!, reference), nearest(frames.at(-1)!, reference)]).toEqual([1, 2]);
});

test('holds the last frame if the video ends before the audio', async () => {
  const { frames, sound } = await render(
    generateMedia('brief-video.mp4', ...createPicture({ seconds: 2 }), ...chirp(6), ...h264),
    3,
    5,
  );
  expect(frames).toHaveLength(50);
  expect(sound.some((sample) => Math.abs(sample) > 1000)).toBe(true);
});

test('pads audio that ends before the video with silence', async () => {
  const { sound } = await render(generateMedia('brief-sound.mp4', ...createPicture({ seconds: 6 }), ...chirp(2), ...h264), 3, 5);
  expect(sound.every((sample) => sample === 0)).toBe(true);
});

test('makes odd sizes even, and writes 10 frames for 0.4 s', async () => {
  const odd = ['-vf', 'format=yuv444p,scale=321:241', ...h264];
  const { video, frames } = await render(generateMedia('odd.mp4', ...createPicture({ seconds: 0.4 }), ...odd), 0, 0.4);
  expect(video).toMatchObject({ width: 322, height: 242 });
  expect(frames).toHaveLength(10);
});

test('keeps the timing of a variable frame rate', async () => {
  const vfr = ['-vf', "select='lt(n,50)+not(mod(n,10))'", '-vsync', 'vfr', ...h264];
  const { frames, video } = await render(generateMedia('vfr.mp4', ...createPicture({ seconds: 8 }), ...vfr), 4, 6);
  const reference = picturesOf(generateMedia('reference.mkv', ...createPicture({ seconds: 8 }), '-c:v', 'ffv1'));
  expect(Math.abs(nearest(frames.at(-1)!, reference) / 25 - 5.6)).toBeLessThan(0.1);
  expect(frames.length / video!.fps).toBeCloseTo(2, 1);
});

test('writes equal bytes for equal clips', async () => {
  const source = generateMedia('plain.mp4', ...createPicture({ seconds: 8 }), ...chirp(8), ...h264);
  const [one, two] = [await render(source, 1, 3), await render(source, 1, 3)];
  one.outputs.forEach(({ path }, n) => {
    expect(readFileSync(path).equals(readFileSync(two.outputs[n]!.path))).toBe(true);
  });
});
