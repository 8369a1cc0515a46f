import { describe, expect, test } from 'vitest';
import { kinds } from '../../../schemas/kinds.ts';
import stage from '../../../services/stage-ffmpeg-3/stage.ts';
import { probe, type Probe } from '../../../shared/media/probe.ts';
import { exec } from '../../support/exec.ts';
import { chirp, createPicture, findMedia, generateMedia, h264, nearest, NO_MEDIA, picturesOf } from '../../support/media.ts';
import { runStageLocally } from '../../support/stage-harness.ts';
import { cutClips } from '../clips.ts';

/** Cuts a part of a source and encodes its video. */
async function encode(source: string, start: number, end: number): Promise<{ video: Probe['video']; frames: Uint8Array[] }> {
  const { outputs, media } = await cutClips(source, [[start, end]]);
  const ran = await runStageLocally(stage, outputs[0]!, { siblings: [media] });
  const [made] = ran.of(kinds.video);
  if (!made) return { video: null, frames: [] };
  const { video } = await probe(exec, made.path);
  const frames = picturesOf(made.path);
  const { fps } = video!;
  expect(Math.abs(frames.length / fps - (end - start))).toBeLessThan(1 / fps);
  return { video, frames };
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
    const { video } = await encode(findMedia(name) ?? skip(NO_MEDIA), start, end);
    expect([video?.width, video?.height]).toEqual([width, height]);
    if (video) expect(video).toMatchObject({ codec: 'h264', rotation: 0, pixel_format: 'yuv420p' });
  });
});

const reference = (): Uint8Array[] =>
  picturesOf(generateMedia('reference.mkv', ...createPicture({ seconds: 8 }), '-c:v', 'ffv1'));

const x264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-bf', '3', '-g', '100'];

test.each([
  ['plain.mp4', ['-c:a', 'aac'], 0],
  ['plain.mkv', ['-c:a', 'libvorbis'], 0],
  // Without an edit list this muxer leaves the delay of its two B-frames in the file: the pictures are that late in it.
  ['fragments.mp4', ['-c:a', 'aac', '-movflags', 'frag_keyframe+empty_moov'], 2 / 25],
] as const)('begins where the clip of %s begins', async (name, options, late) => {
  const source = generateMedia(name, ...createPicture({ seconds: 8 }), ...chirp(8), ...x264, ...options);
  const { frames } = await encode(source, 5.34, 7);
  for (const n of [0, 10, frames.length - 1])
    expect(Math.abs(nearest(frames[n]!, reference()) / 25 + late - 5.34 - n / 25)).toBeLessThan(1.6 / 25);
});

test('shows the slide on display at the start of the clip', async () => {
  const slides = createPicture({ seconds: 20, fps: '1/5' });
  const source = generateMedia('slides.mp4', ...slides, ...chirp(20), '-c:v', 'libx264', '-g', '2', '-c:a', 'aac');
  const shown = picturesOf(generateMedia('slides.mkv', ...slides, '-c:v', 'ffv1'));
  const { frames } = await encode(source, 7, 11);
  expect([nearest(frames[0]!, shown), nearest(frames.at(-1)!, shown)]).toEqual([1, 2]);
});

test('holds the last frame if the video ends before the audio', async () => {
  const source = generateMedia('brief-video.mp4', ...createPicture({ seconds: 2 }), ...chirp(6), ...h264);
  expect((await encode(source, 3, 5)).frames).toHaveLength(50);
});

test('makes odd sizes even, and writes 10 frames for 0.4 s', async () => {
  const odd = ['-vf', 'format=yuv444p,scale=321:241', ...h264];
  const { video, frames } = await encode(generateMedia('odd.mp4', ...createPicture({ seconds: 0.4 }), ...odd), 0, 0.4);
  expect(video).toMatchObject({ width: 322, height: 242 });
  expect(frames).toHaveLength(10);
});

test('keeps the timing of a variable frame rate', async () => {
  const vfr = ['-vf', "select='lt(n,50)+not(mod(n,10))'", '-vsync', 'vfr', ...h264];
  const { frames, video } = await encode(generateMedia('vfr.mp4', ...createPicture({ seconds: 8 }), ...vfr), 4, 6);
  expect(Math.abs(nearest(frames.at(-1)!, reference()) / 25 - 5.6)).toBeLessThan(0.1);
  expect(frames.length / video!.fps).toBeCloseTo(2, 1);
});
