import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createTempDir } from './temp-dir.ts';

/** Directory of the test videos: beside the project, or `FAVE_TEST_MEDIA`. */
const shared = resolve(process.env['FAVE_TEST_MEDIA'] ?? join(import.meta.dirname, '../../../shared/media'));

/** Returns the path of a test video, or undefined if this machine does not have it; tests then `skip(NO_MEDIA)`. */
export function findMedia(name: string): string | undefined {
  const path = join(shared, name);
  return existsSync(path) ? path : undefined;
}

/** Reason of a skipped test. */
export const NO_MEDIA = 'no test media here; set FAVE_TEST_MEDIA to their folder';

let folder: string | undefined;

/** Returns the media folder of this test file, which is removed after its tests. */
export function mediaFolder(): string {
  folder ??= createTempDir();
  return folder;
}

/** Writes a file to the media folder of this test file and returns its path. */
export function writeMedia(name: string, content: string | Uint8Array): string {
  const path = join(mediaFolder(), name);
  writeFileSync(path, content);
  return path;
}

/** Runs ffmpeg for a test. */
export function ffmpeg(...args: readonly string[]): void {
  execFileSync('ffmpeg', ['-nostdin', '-loglevel', 'error', '-y', ...args]);
}

/** Generates a media file once per test file. @param args Arguments of ffmpeg without the output. */
export function generateMedia(name: string, ...args: readonly string[]): string {
  const path = join(mediaFolder(), name);
  if (!existsSync(path)) ffmpeg(...args, `file:${path}`);
  return path;
}

/** Returns input arguments for a test video in which all frames differ. */
export function createPicture({
  seconds = 4,
  size = '320x240',
  fps = 25,
}: { seconds?: number; size?: string; fps?: number | string } = {}): string[] {
  return ['-f', 'lavfi', '-i', `testsrc2=s=${size}:r=${fps}:d=${seconds}`];
}

/** Returns input arguments for a rising tone, with which shifts can be measured. */
export function chirp(seconds = 4, rate = 44_100): string[] {
  return ['-f', 'lavfi', '-i', `aevalsrc='0.5*sin(2*PI*(200*t+20*t*t))':s=${rate}:d=${seconds}`];
}

/** Arguments for fast H.264 and AAC encoding. */
export const h264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac'];

/** Synthesises speech to a WAV file. */
export function speech(name: string, text: string): string {
  const path = join(mediaFolder(), name);
  if (!existsSync(path)) execFileSync('espeak-ng', ['-w', path, text]);
  return path;
}

/** Decodes the first audio stream to mono samples of ±32768. */
export function samplesOf(path: string, rate: number, ...input: readonly string[]): Int16Array {
  const raw = decode([...input, '-i', `file:${path}`, '-map', '0:a:0', '-ac', '1', '-ar', `${rate}`, '-f', 's16le']);
  return new Int16Array(raw.buffer, raw.byteOffset, raw.length >> 1);
}

/** Decodes the first video stream to small grey images, one `Uint8Array` per frame. */
export function picturesOf(path: string, ...input: readonly string[]): Uint8Array[] {
  const scale = ['-vf', 'scale=32:24:flags=area', '-pix_fmt', 'gray', '-vsync', '0'];
  const raw = decode([...input, '-i', `file:${path}`, '-map', '0:V:0', ...scale, '-f', 'rawvideo']);
  return Array.from({ length: raw.length / 768 }, (_, n) => raw.subarray(n * 768, (n + 1) * 768));
}

function decode(args: readonly string[]): Buffer {
  const raw = execFileSync('ffmpeg', ['-nostdin', '-loglevel', 'error', ...args, '-'], { maxBuffer: 512 * 1024 * 1024 });
  return Buffer.from(raw);
}

/** Returns the index of the most similar image. */
export function nearest(picture: Uint8Array, among: readonly Uint8Array[]): number {
  const distances = among.map((other) => other.reduce((sum, value, i) => sum + Math.abs(value - picture[i]!), 0));
  return distances.indexOf(Math.min(...distances));
}

/**
 * Returns the position of a part in `whole`, in samples: the shift within `around` ± `reach` with the highest correlation.
 */
export function shiftOf(part: Int16Array, whole: Int16Array, around: number, reach: number): number {
  let best = { shift: 0, score: -Infinity };
  for (let shift = around - reach; shift <= around + reach; shift++) {
    let score = 0;
    for (let i = 0; i < part.length; i += 1) score += part[i]! * (whole[shift + i] ?? 0);
    if (score > best.score) best = { shift, score };
  }
  return best.shift;
}
