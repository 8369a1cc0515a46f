import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PermanentError } from '../../shared/core/errors.ts';
import type { Exec } from '../../shared/tools/exec.ts';
import { ToolError } from '../../shared/tools/tool-error.ts';
import { letterbox, SIDE, type Size } from './letterbox.ts';

/** A JPEG file and its size in pixels. */
export interface FrameImage extends Size {
  readonly path: string;
}

/** Bytes of one image as the model takes it: rgb24, `[512, 512, 3]`. */
export const FRAME_BYTES = SIDE * SIDE * 3;

/**
 * Arguments of one ffmpeg that writes each image, letterboxed, to its `output` as rgb24 `[512, 512, 3]`.
 * One process for many images, because starting it (80 ms) costs more than decoding one (5 ms).
 */
export function decodeArgs(images: readonly (FrameImage & { readonly output: string })[]): string[] {
  return [
    ...['-v', 'error', '-nostdin', '-y'],
    ...images.flatMap(({ path }) => [
      // Without it a half image is passed on, grey below, as if it were whole.
      ...['-err_detect', 'explode'],
      // JPEG or nothing: ffmpeg would open whatever else the bytes look like. A thread pool a image costs more than it gives.
      ...['-f', 'jpeg_pipe', '-threads', '1', '-i', path],
    ]),
    ...images.flatMap((image, n) => [
      ...['-map', `${String(n)}:v`, '-frames:v', '1', '-vf', letterboxFilter(image)],
      ...['-pix_fmt', 'rgb24', '-f', 'rawvideo', image.output],
    ]),
  ];
}

/**
 * `accurate_rnd+bitexact`: without them the pixels, and so the scores, depend on the processor.
 * Grey bars, where the model's own evaluation has black ones: cars seen from above are found in 4 frames of 30 rather than in 2.
 */
function letterboxFilter(image: Size): string {
  const { width, height, left, top } = letterbox(image);
  const scale = `scale=${[width, height, 'flags=area+accurate_rnd+bitexact'].join(':')}`;
  return `${scale},pad=${[SIDE, SIDE, left, top, 'color=gray'].join(':')}`;
}

/**
 * Each image with its pixels as the model takes them: rgb24, `Uint8Array` of shape `[512, 512, 3]`.
 * @param dir where files may be written
 * @throws PermanentError `unreadable-frame`, naming the file.
 */
export async function decode<P extends FrameImage>(
  images: readonly P[],
  dir: string,
  exec: Exec,
): Promise<{ image: P; rgb: Uint8Array }[]> {
  const targets = images.map((image, n) => ({ ...image, output: join(dir, `frame_${String(n)}.rgb`) }));
  try {
    await exec('ffmpeg', decodeArgs(targets));
  } catch (error) {
    if (!rejectsInput(error)) throw error;
    const [only, another] = images;
    if (only && !another) throw unreadable(only, error);
    // The failure of many does not tell which of them is at fault; alone, each does.
    for (const image of images) await decode([image], dir, exec);
    throw error;
  }
  return Promise.all(
    targets.map(async (image) => {
      const rgb = await readFile(image.output);
      if (rgb.length !== FRAME_BYTES) throw unreadable(image);
      return { image, rgb };
    }),
  );
}

/** Whether the tool itself gave up, rather than being missing or killed. */
function rejectsInput(error: unknown): boolean {
  return error instanceof ToolError && error.exitCode !== undefined && !error.killedBy && !error.timedOut;
}

function unreadable(image: FrameImage, cause?: unknown): PermanentError {
  const sentence = `${basename(image.path)} cannot be decoded as a JPEG image; run the stage that made the clip's frames again`;
  return new PermanentError('unreadable-frame', sentence, { cause, ...(cause instanceof ToolError && { stderr: cause.stderr }) });
}
