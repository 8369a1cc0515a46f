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
 * Returns the arguments of one ffmpeg that writes each image in the input format of the model to its `output` as rgb24.
 * One process decodes many images, because its start (80 ms) takes longer than one image (5 ms).
 */
export function decodeArgs(images: readonly (FrameImage & { readonly output: string })[], format: InputFormat): string[] {
  return [
    ...['-v', 'error', '-nostdin', '-y'],
    ...images.flatMap(({ path }) => [
      // Without this, ffmpeg fills the missing part of a truncated image with grey and reports success.
      ...['-err_detect', 'explode'],
      // JPEG only: ffmpeg would otherwise probe for other formats. One thread per image is faster than a thread pool per image.
      ...['-f', 'jpeg_pipe', '-threads', '1', '-i', path],
    ]),
    ...images.flatMap((image, n) => [
      ...['-map', `${String(n)}:v`, '-frames:v', '1', '-vf', placementFilter(image, format)],
      ...['-pix_fmt', 'rgb24', '-f', 'rawvideo', image.output],
    ]),
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
  const targets = images.map((image, n) => ({ ...image, output: join(dir, `frame_${String(n)}.rgb`) }));
  try {
    await exec('ffmpeg', decodeArgs(targets, format));
  } catch (error) {
    if (!rejectsInput(error)) throw error;
    const [only, another] = images;
    if (only && !another) throw unreadable(only, error);
    // The error does not name the damaged image, so each one is decoded separately.
    for (const image of images) await decode([image], format, dir, exec);
    throw error;
  }
  return Promise.all(
    targets.map(async (image) => {
      const rgb = await readFile(image.output);
      if (rgb.length !== format.width * format.height * 3) throw unreadable(image);
      return { image, rgb };
    }),
  );
}

/** Returns whether the tool rejected its input: it was not missing, killed or too slow. */
function rejectsInput(error: unknown): boolean {
  return error instanceof ToolError && error.exitCode !== undefined && !error.killedBy && !error.timedOut;
}

function unreadable(image: FrameImage, cause?: unknown): PermanentError {
  const sentence = `${basename(image.path)} cannot be decoded as a JPEG image; replay the request from stage-ffmpeg-3`;
  return new PermanentError('unreadable-frame', sentence, { cause, ...(cause instanceof ToolError && { stderr: cause.stderr }) });
}
