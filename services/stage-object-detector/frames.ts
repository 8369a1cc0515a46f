import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PermanentError } from '../../shared/core/errors.ts';
import type { Exec } from '../../shared/tools/exec.ts';
import { ToolError } from '../../shared/tools/tool-error.ts';
import { type InputFormat, placeImage, type Size } from './input-format.ts';

/** A JPEG file and its size in pixels. */
export interface FrameImage extends Size {
  readonly path: string;
}

/**
 * Returns the arguments of one ffmpeg that writes images of one size in the input format of the model, one after the other, as rgb24.
 * One process decodes all images, because its start (70 ms) takes longer than one image (5 ms).
 */
export function decodeArgs(images: readonly [FrameImage, ...FrameImage[]], format: InputFormat, output: string): string[] {
  return [
    ...['-v', 'error', '-nostdin', '-y', '-protocol_whitelist', 'concat,file'],
    // Without these, ffmpeg fills the missing part of a truncated image with grey and reports success.
    ...['-err_detect', 'explode', '-xerror'],
    // JPEG only: ffmpeg would otherwise probe for other formats. One thread per image is faster than a pool of threads.
    ...['-f', 'mjpeg', '-threads', '1', '-i', `concat:${images.map(({ path }) => path).join('|')}`],
    ...['-filter_threads', '1', '-vf', placementFilter(images[0], format)],
    ...['-pix_fmt', 'rgb24', '-f', 'rawvideo', output],
  ];
}

/** Without `accurate_rnd+bitexact`, the pixels and scores depend on the processor. */
function placementFilter(image: Size, format: InputFormat): string {
  const { width, height, left, top } = placeImage(image, format);
  const scale = `scale=${[width, height, `flags=${format.scaler}+accurate_rnd+bitexact`].join(':')}`;
  return `${scale},pad=${[format.width, format.height, left, top, `color=${format.colour}`].join(':')}`;
}

/**
 * Decodes images to the input format of the model: rgb24, `[height, width, 3]`.
 * @param dir Directory for temporary files.
 * @throws PermanentError `unreadable-frame` with the name of the file.
 */
export async function decode<P extends FrameImage>(
  images: readonly P[],
  format: InputFormat,
  dir: string,
  exec: Exec,
): Promise<{ image: P; rgb: Uint8Array }[]> {
  const [first, ...others] = images;
  if (!first) return [];
  const separately = async (): Promise<{ image: P; rgb: Uint8Array }[]> => {
    const decoded = [];
    for (const image of images) decoded.push(...(await decode([image], format, dir, exec)));
    return decoded;
  };
  if (others.some(({ width, height }) => width !== first.width || height !== first.height)) return separately();

  const output = join(dir, 'frames.rgb');
  const size = format.width * format.height * 3;
  let cause: unknown;
  try {
    await exec('ffmpeg', decodeArgs([first, ...others], format, output));
    const rgb = await readFile(output);
    if (rgb.length === images.length * size)
      return images.map((image, n) => ({ image, rgb: rgb.subarray(n * size, (n + 1) * size) }));
  } catch (error) {
    if (!rejectsInput(error)) throw error;
    cause = error;
  }
  // Neither the error nor the number of decoded images identifies the damaged one.
  if (others.length > 0) return separately();
  throw unreadable(first, cause);
}

/** Returns whether the tool rejected its input: it was not missing, killed or too slow. */
function rejectsInput(error: unknown): boolean {
  return error instanceof ToolError && error.exitCode !== undefined && !error.killedBy && !error.timedOut;
}

function unreadable(image: FrameImage, cause?: unknown): PermanentError {
  const sentence = `${basename(image.path)} cannot be decoded as a JPEG image; replay the request from stage-ffmpeg-3`;
  return new PermanentError('unreadable-frame', sentence, { cause, ...(cause instanceof ToolError && { stderr: cause.stderr }) });
}
