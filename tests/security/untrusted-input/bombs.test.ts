import { readFileSync, statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Media } from '../../../schemas/generated/types.ts';
import { kinds } from '../../../schemas/kinds.ts';
import stage from '../../../services/stage-ffmpeg-0/stage.ts';
import { PermanentError } from '../../../shared/core/errors.ts';
import { chirp, generateMedia, h264, createPicture, writeMedia } from '../../support/media.ts';
import { runStageLocally, upload } from '../../support/stage-harness.ts';
import { patchBytes, withBoxes } from './craft.ts';

/** Four bytes, big or little endian. */
const be = (value: number): Buffer => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value]);
const le = (value: number): Buffer => be(value).reverse();

/** Timeout for one file (ms), on a machine that runs other tests. */
const BOUND = 60_000;

async function mediaOf(path: string): Promise<Media> {
  return (await runStageLocally(stage, upload(path), { signal: AbortSignal.timeout(BOUND) })).json<Media>(kinds.media);
}

/** The code in which an upload ends, which must be permanent and name the file. */
async function refusal(path: string): Promise<string> {
  const error: unknown = await runStageLocally(stage, upload(path), { signal: AbortSignal.timeout(BOUND) }).then(
    () => expect.fail('it was not refused'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(PermanentError);
  const { code, message } = error as PermanentError;
  expect(message).toContain(path.slice(path.lastIndexOf('/') + 1));
  return code;
}

describe('frame size', () => {
  const raw = (): string =>
    generateMedia('raw.avi', ...createPicture({ seconds: 0.2, size: '16x16' }), '-c:v', 'rawvideo', '-pix_fmt', 'bgr24');
  const sized = (side: number): string => patchBytes(raw(), `${side}.avi`, 'strf', 12, Buffer.concat([le(side), le(side)]));

  test('rejects frames of 16 000 × 16 000 pixels', async () => {
    expect(await refusal(sized(16_000))).toBe('too-large');
  });

  test('rejects a container that states 60 000 × 60 000 pixels', async () => {
    expect(['too-large', 'no-streams', 'not-media']).toContain(await refusal(sized(60_000)));
  });

  test('rejects frames whose header states 60 000 × 60 000 pixels', async () => {
    const png = generateMedia('png.mov', ...createPicture({ seconds: 0.2, size: '64x64' }), '-c:v', 'png');
    const huge = patchBytes(png, 'huge.mov', 'IHDR', 4, Buffer.concat([be(60_000), be(60_000)]));
    await mediaOf(huge).then(
      // The container states 64 × 64 and contains packets. Only stage-ffmpeg-3 finds that they cannot be decoded.
      ({ video }) => {
        expect(video?.width ?? 64).toBe(64);
      },
      (error: unknown) => {
        expect(error).toBeInstanceOf(PermanentError);
      },
    );
  });

  test('rejects a million frames per second', async () => {
    const source = ['-f', 'lavfi', '-i', 'testsrc2=s=16x16:r=1000000:d=0.0005', ...chirp(1)];
    expect(await refusal(generateMedia('fast.nut', ...source, '-c:v', 'rawvideo'))).toBe('too-many-frames');
    // Scale and rate of the stream header.
    expect(await refusal(patchBytes(raw(), 'fast.avi', 'vids', 20, Buffer.concat([le(1), le(1_000_000)])))).toMatch(
      /too-many-frames|no-content/,
    );
  });

  test('limits the size of highly compressed frames', async () => {
    const flat = ['-f', 'lavfi', '-i', 'color=black:s=4096x4096:r=10:d=6'];
    const path = generateMedia('flat.mp4', ...flat, '-c:v', 'libx264', '-preset', 'ultrafast');
    expect(statSync(path).size).toBeLessThan((4096 * 4096 * 1.5 * 60) / 1_000);
    expect(await mediaOf(path)).toMatchObject({ video: { width: 4096 }, audio: null });
  });
});

describe('length', () => {
  test('rejects ten hours of silence in 100 KB', async () => {
    const path = generateMedia(
      'silence.flac',
      '-f',
      'lavfi',
      '-i',
      'anullsrc=r=8000:cl=mono',
      '-t',
      '36000',
      '-frame_size',
      '65535',
    );
    expect(statSync(path).size).toBeLessThan(100_000);
    expect(await refusal(path)).toBe('too-long');
  });

  test('measures an MP4 with a wrong header', async () => {
    const honest = readFileSync(generateMedia('honest.mp4', ...createPicture({ seconds: 1 }), ...chirp(1), ...h264));
    const lying = withBoxes(honest, (type, content) => {
      const copy = Buffer.from(content);
      if (type === 'mvhd') copy.writeUInt32BE(0x7fff_ffff, 16);
      if (type === 'mdhd') copy.writeUInt32BE(0x7fff_ffff, 16);
      if (type === 'tkhd') copy.writeUInt32BE(0x7fff_ffff, 20);
      return copy;
    });
    expect((await mediaOf(writeMedia('lying.mp4', lying))).duration).toBeCloseTo(1, 0);
  });

  test('measures a FLAC with a wrong header', async () => {
    const honest = generateMedia('honest.flac', ...chirp(1));
    // The last four bytes of the number of samples (36 bits) in STREAMINFO.
    expect((await mediaOf(patchBytes(honest, 'lying.flac', 'fLaC', 22, be(0xffff_ffff)))).duration).toBeCloseTo(1, 0);
  });
});

describe('number of streams', () => {
  const streams = (count: number): string[] => Array.from({ length: count }, () => ['-map', '0:a']).flat();

  test('rejects 100 audio streams', async () => {
    expect(await refusal(generateMedia('hundred.mkv', ...chirp(1, 8_000), ...streams(100), '-c:a', 'pcm_s16le'))).toBe(
      'too-many-streams',
    );
  });

  test('ignores attachments and subtitles, and rejects too many of them', async () => {
    const text = writeMedia('words.srt', '1\n00:00:00,000 --> 00:00:01,000\nhello\n');
    const font = writeMedia('font.ttf', Buffer.alloc(1_000_000));
    const film = (captions: number, fonts: number): string =>
      generateMedia(
        `bomb-${captions}-${fonts}.mkv`,
        ...[...chirp(1), '-i', text, '-map', '0:a', '-c:a', 'aac'],
        ...Array.from({ length: captions }, () => ['-map', '1:s']).flat(),
        ...Array.from({ length: fonts }, () => ['-attach', font]).flat(),
        ...['-metadata:s:t', 'mimetype=application/x-truetype-font'],
      );
    expect((await mediaOf(film(30, 20))).duration).toBeCloseTo(1, 0);
    expect(await refusal(film(60, 20))).toBe('too-many-streams');
  });
});
