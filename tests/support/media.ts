import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createTempDir } from './temp-dir.ts';

/** Where real test media lie: beside the project, or where `FAVE_TEST_MEDIA` says. */
const shared = resolve(process.env['FAVE_TEST_MEDIA'] ?? join(import.meta.dirname, '../../../shared/media'));

/** Path of a real test medium; undefined where this machine has none: then `skip(NO_MEDIA)`. */
export function findMedia(name: string): string | undefined {
  const path = join(shared, name);
  return existsSync(path) ? path : undefined;
}

/** Why a test was skipped. */
export const NO_MEDIA = 'no test media here; set FAVE_TEST_MEDIA to their folder';

let folder: string | undefined;

/** A folder for this test file's media; removed after its tests. */
export function mediaFolder(): string {
  folder ??= createTempDir();
  return folder;
}

/** Writes a file to the media folder of this test file and returns its path. */
export function writeMedia(name: string, content: string | Buffer): string {
  const path = join(mediaFolder(), name);
  writeFileSync(path, content);
  return path;
}

/** Runs ffmpeg for a test. */
export function ffmpeg(...args: readonly string[]): void {
  execFileSync('ffmpeg', ['-nostdin', '-loglevel', 'error', '-y', ...args]);
}

/** Makes a medium once a test file. @param args ffmpeg's, without the target. */
export function generateMedia(name: string, ...args: readonly string[]): string {
  const path = join(mediaFolder(), name);
  if (!existsSync(path)) ffmpeg(...args, `file:${path}`);
  return path;
}

/** Input arguments of a moving test picture; every frame differs. */
export function createPicture({
  seconds = 4,
  size = '320x240',
  fps = 25,
}: { seconds?: number; size?: string; fps?: number | string } = {}): string[] {
  return ['-f', 'lavfi', '-i', `testsrc2=s=${size}:r=${fps}:d=${seconds}`];
}

/** Input arguments of a rising tone; every moment differs, so that a shift can be measured. */
export function chirp(seconds = 4, rate = 44_100): string[] {
  return ['-f', 'lavfi', '-i', `aevalsrc='0.5*sin(2*PI*(200*t+20*t*t))':s=${rate}:d=${seconds}`];
}

/** Encoder arguments of a quick H.264 and AAC. */
export const h264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac'];

/** Makes a WAV of a voice saying something. */
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

/** Decodes the first video stream to small grey pictures, one `Uint8Array` a frame. */
export function picturesOf(path: string, ...input: readonly string[]): Uint8Array[] {
  const scale = ['-vf', 'scale=32:24:flags=area', '-pix_fmt', 'gray', '-vsync', '0'];
  const raw = decode([...input, '-i', `file:${path}`, '-map', '0:V:0', ...scale, '-f', 'rawvideo']);
  return Array.from({ length: raw.length / 768 }, (_, n) => raw.subarray(n * 768, (n + 1) * 768));
}

function decode(args: readonly string[]): Buffer {
  const raw = execFileSync('ffmpeg', ['-nostdin', '-loglevel', 'error', ...args, '-'], { maxBuffer: 512 * 1024 * 1024 });
  return Buffer.from(raw);
}

/** Index of the picture that is most like a given one. */
export function nearest(picture: Uint8Array, among: readonly Uint8Array[]): number {
  const distances = among.map((other) => other.reduce((sum, value, i) => sum + Math.abs(value - picture[i]!), 0));
  return distances.indexOf(Math.min(...distances));
}

/**
 * Where in `whole` a part lies, in samples: the shift within `around` ± `reach` with the highest correlation.
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
