import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { kinds } from '../../../schemas/kinds.ts';
import prober from '../../../services/stage-ffmpeg-0/stage.ts';
import stage from '../../../services/stage-ffmpeg-2/stage.ts';
import { chirp, createPicture, findMedia, generateMedia, h264, NO_MEDIA, samplesOf, shiftOf } from '../../support/media.ts';
import { runStageLocally, upload, type Output } from '../../support/stage-harness.ts';
import { writeBatch } from '../clips.ts';

const RATE = 16_000;

type Bounds = readonly (readonly [start: number, end: number])[];

/** Extracts the speech of parts of a source. `whole`: samples of the source. */
async function extract(
  source: string,
  bounds: Bounds,
  first = 1,
): Promise<{ outputs: readonly Output[]; sounds: Int16Array[]; whole: Int16Array }> {
  const probed = await runStageLocally(prober, upload(source));
  const [audio] = probed.of(kinds.audio);
  const { outputs, executed } = await runStageLocally(stage, writeBatch(bounds, first), { siblings: [audio!] });
  expect(executed).toHaveLength(1);
  expect(outputs.map(({ attributes: { start, end } }) => [start, end])).toEqual(bounds);
  const sounds = outputs.map(({ path }) => samplesOf(path, RATE));
  expect(sounds.map(({ length }) => length)).toEqual(bounds.map(([start, end]) => Math.round((end - start) * RATE)));
  return { outputs, sounds, whole: samplesOf(audio!.path, RATE) };
}

test.for(['walk-and-talk.mp4', 'walk-and-talk-copy.webm', 'bottle-detection-no-audio.mp4', 'audio-only-sonnet1.mp4', 'jfk.wav'])(
  'cuts the audio of %s into clips',
  async (name, { skip }) => {
    const { outputs } = await extract(findMedia(name) ?? skip(NO_MEDIA), [
      [0, 2.5],
      [2.5, 5.34],
      [5.34, 9],
    ]);
    expect(outputs.map(({ key }) => key)).toEqual([1, 2, 3].map((clip) => `stage-ffmpeg-2/clip_000${clip}/audio.wav`));
  },
);

describe('a clip', () => {
  const both = [...createPicture({ seconds: 8 }), ...chirp(8)];

  test.each([
    ['plain.mp4', ['-c:a', 'aac']],
    ['plain.mkv', ['-c:a', 'libvorbis']],
    ['fragments.mp4', ['-c:a', 'aac', '-movflags', 'frag_keyframe+empty_moov']],
  ] as const)('begins at its start in %s', async (name, encode) => {
    const source = generateMedia(name, ...both, '-c:v', 'libx264', '-preset', 'veryfast', '-bf', '3', '-g', '100', ...encode);
    const { sounds, whole } = await extract(source, [
      [0, 5.34],
      [5.34, 7],
    ]);
    const shift = shiftOf(sounds[1]!.subarray(0, RATE / 2), whole, 5.34 * RATE, 1600);
    expect(Math.abs(shift / RATE - 5.34)).toBeLessThan(0.01);
  });

  test('has the same bytes in a later batch, which reads a part of the audio only', async () => {
    const source = generateMedia('plain.mp4', ...both, ...h264);
    const { outputs: whole } = await extract(source, [
      [0, 5.34],
      [5.34, 7],
    ]);
    const { outputs } = await extract(source, [[5.34, 7]], 2);
    expect(outputs[0]!.key).toBe(whole[1]!.key);
    expect(readFileSync(outputs[0]!.path).equals(readFileSync(whole[1]!.path))).toBe(true);
  });

  test('continues after the end of the video', async () => {
    const source = generateMedia('brief-video.mp4', ...createPicture({ seconds: 2 }), ...chirp(6), ...h264);
    const { sounds } = await extract(source, [[3, 5]]);
    expect(sounds[0]!.some((sample) => Math.abs(sample) > 1000)).toBe(true);
  });

  test('is padded with silence if its audio ends before the video', async () => {
    const source = generateMedia('brief-sound.mp4', ...createPicture({ seconds: 6 }), ...chirp(2), ...h264);
    const { sounds } = await extract(source, [[3, 5]]);
    expect(sounds[0]!.every((sample) => sample === 0)).toBe(true);
  });

  test('has equal bytes in each run', async () => {
    const source = generateMedia('plain.mp4', ...both, ...h264);
    const [one, two] = [await extract(source, [[1, 3]]), await extract(source, [[1, 3]])];
    expect(readFileSync(one.outputs[0]!.path).equals(readFileSync(two.outputs[0]!.path))).toBe(true);
  });
});
