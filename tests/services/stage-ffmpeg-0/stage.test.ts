import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Media } from '../../../schemas/generated/types.ts';
import { kinds } from '../../../schemas/kinds.ts';
import stage from '../../../services/stage-ffmpeg-0/stage.ts';
import {
  chirp,
  ffmpeg,
  generateMedia,
  h264,
  mediaFolder,
  findMedia,
  NO_MEDIA,
  createPicture,
  samplesOf,
} from '../../support/media.ts';
import { runStageLocally, upload } from '../../support/stage-harness.ts';

/** Runs the stage on a file and returns the probe result and the samples. */
async function examine(path: string): Promise<{ media: Media; samples: Int16Array; wav: Buffer }> {
  const ran = await runStageLocally(stage, upload(path));
  expect(ran.outputs.map((output) => output.key)).toEqual(['stage-ffmpeg-0/media.json', 'stage-ffmpeg-0/audio.wav']);
  const [wav] = ran.of(kinds.audio);
  const media = await ran.json<Media>(kinds.media);
  const samples = samplesOf(wav!.path, 22_050);
  expect(samples.length).toBe(Math.round(media.duration * 22_050));
  return { media, samples, wav: readFileSync(wav!.path) };
}

/** Returns the times of the first and last loud sample, in seconds. */
function loudInterval(samples: Int16Array): [number, number] {
  const loud = (value: number): boolean => Math.abs(value) > 500;
  return [samples.findIndex(loud) / 22_050, samples.findLastIndex(loud) / 22_050];
}

describe('real media', () => {
  test.for([
    ['walk-and-talk.mp4', 54, 640, 360, 0, 'aac'],
    ['walk-and-talk-copy.webm', 54.019, 320, 180, 0, 'vorbis'],
    ['bottle-detection-no-audio.mp4', 39.855, 640, 360, 0, undefined],
    ['car-detection-silent-track.mp4', 30.208, 768, 432, 0, 'aac'],
    ['portrait-rotated.mp4', 9, 360, 640, 90, 'aac'],
    ['hevc-10bit-tiny.mp4', 1, 200, 200, 0, undefined],
    ['audio-only-sonnet1.mp4', 9.019, undefined, undefined, undefined, 'aac'],
    ['jfk.wav', 11, undefined, undefined, undefined, 'pcm_s16le'],
  ] as const)('%s', async ([name, duration, width, height, rotation, codec], { skip }) => {
    const path = findMedia(name) ?? skip(NO_MEDIA);
    const { media } = await examine(path);
    expect(media.duration).toBeCloseTo(duration, 1);
    expect([media.video?.width, media.video?.height, media.audio?.codec]).toEqual([width, height, codec]);
    if (rotation === 90) expect([90, 270]).toContain(media.video?.rotation);
    else expect(media.video?.rotation).toBe(rotation);
  });

  test.for([
    ['broken-zero-bytes.mp4', 'empty-file'],
    ['broken-text.mp4', 'not-media'],
    ['broken-truncated-no-moov.mp4', 'not-media'],
  ] as const)('%s is refused as %s, by name', async ([name, code], { skip }) => {
    const path = findMedia(name) ?? skip(NO_MEDIA);
    await expect(runStageLocally(stage, upload(path))).rejects.toMatchObject({
      code,
      message: expect.stringContaining(`"${name}"`) as string,
    });
  });
});

describe('generated media', () => {
  test('keeps the delay of audio that begins late', async () => {
    const path = generateMedia('delayed.mp4', ...createPicture(), '-itsoffset', '1.5', ...chirp(1), ...h264);
    const { media, samples } = await examine(path);
    expect(media.duration).toBeCloseTo(4, 1);
    const [first, last] = loudInterval(samples);
    expect(first).toBeCloseTo(1.5, 1);
    expect(last).toBeCloseTo(2.5, 1);
  });

  test('shifts a clock that begins at an hour to 0', async () => {
    const path = generateMedia('hour.ts', ...createPicture(), ...chirp(), ...h264, '-output_ts_offset', '3600');
    const { media, samples } = await examine(path);
    expect(media.duration).toBeCloseTo(4, 0);
    expect(loudInterval(samples)[0]).toBeLessThan(0.1);
  });

  test('pads audio that ends early with silence', async () => {
    const { media, samples } = await examine(generateMedia('short.mp4', ...createPicture(), ...chirp(1), ...h264));
    expect(media.duration).toBeCloseTo(4, 1);
    expect(loudInterval(samples)[1]).toBeCloseTo(1, 1);
  });

  test('writes silence for a video without audio', async () => {
    const { samples } = await examine(generateMedia('mute.mp4', ...createPicture({ seconds: 1 }), ...h264));
    expect(samples.every((value) => value === 0)).toBe(true);
  });

  test('ignores the cover picture of a song', async () => {
    const cover = generateMedia('cover.jpg', ...createPicture({ seconds: 0.04 }), '-frames:v', '1');
    const path = generateMedia(
      'song.mp3',
      ...chirp(1),
      '-i',
      cover,
      '-map',
      '0:a',
      '-map',
      '1:v',
      '-c:v',
      'copy',
      '-disposition:v',
      'attached_pic',
    );
    const { media } = await examine(path);
    expect(media.video).toBeNull();
    expect(media.duration).toBeCloseTo(1, 1);
  });

  test('rejects a picture', async () => {
    const path = generateMedia('lone.jpg', ...createPicture({ seconds: 0.04 }), '-frames:v', '1');
    await expect(runStageLocally(stage, upload(path))).rejects.toMatchObject({ code: 'not-media' });
  });

  test('rejects subtitles without other streams', async () => {
    const srt = join(mediaFolder(), 'words.srt');
    writeFileSync(srt, '1\n00:00:00,000 --> 00:00:02,000\nhello\n');
    const path = generateMedia('words.mkv', '-i', srt);
    await expect(runStageLocally(stage, upload(path))).rejects.toMatchObject({ code: 'no-streams' });
  });

  test('measures a browser recording without a duration', async () => {
    const path = join(mediaFolder(), 'live.webm');
    ffmpeg(
      ...createPicture({ seconds: 2 }),
      ...chirp(2),
      '-c:v',
      'libvpx',
      '-deadline',
      'realtime',
      '-c:a',
      'libvorbis',
      '-live',
      '1',
      '-f',
      'webm',
      path,
    );
    expect((await examine(path)).media.duration).toBeCloseTo(2, 1);
  });

  test('accepts unusual names and variable frame rates', async () => {
    const vfr = ['-vf', "format=yuv444p,scale=321:241,select='not(mod(n,3))+lt(n,30)'", '-vsync', 'vfr', ...h264];
    const { media } = await examine(generateMedia(`-it's "odd" $(touch x) ;&.mp4`, ...createPicture(), ...chirp(), ...vfr));
    expect(media.video).toMatchObject({ width: 321, height: 241 });
  });

  test('applies the limits of the operator', async () => {
    const path = generateMedia('mute.mp4', ...createPicture({ seconds: 1 }), ...h264);
    await expect(runStageLocally(stage, upload(path), { settings: { 'max-duration': 0.5 } })).rejects.toMatchObject({
      code: 'too-long',
    });
  });

  test('writes equal bytes for equal files', async () => {
    const path = generateMedia('short.mp4', ...createPicture(), ...chirp(1), ...h264);
    expect((await examine(path)).wav.equals((await examine(path)).wav)).toBe(true);
  });
});
