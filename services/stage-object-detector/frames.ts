import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PermanentError } from '../../shared/core/errors.ts';
import { type Exec, ToolError } from '../../shared/tools/exec.ts';
import { letterbox, SIDE, type Size } from './letterbox.ts';

/** A JPEG file and its size in pixels. */
export interface FrameImage extends Size {
  readonly path: string;
}

/** Bytes of one picture as the model takes it: rgb24, `[512, 512, 3]`. */
export const PICTURE_BYTES = SIDE * SIDE * 3;

/**
 * Arguments of one ffmpeg that writes each picture, letterboxed, to its `output` as rgb24 `[512, 512, 3]`.
 * One process for many pictures, because starting it (80 ms) costs more than decoding one (5 ms).
 */
export function decodeArgs(pictures: readonly (FrameImage & { readonly output: string })[]): string[] {
  return [
    ...['-v', 'error', '-nostdin', '-y'],
    ...pictures.flatMap(({ path }) => [
      // Without it a half picture is passed on, grey below, as if it were whole.
      ...['-err_detect', 'explode'],
      // JPEG or nothing: ffmpeg would open whatever else the bytes look like. A thread pool a picture costs more than it gives.
      ...['-f', 'jpeg_pipe', '-threads', '1', '-i', path],
    ]),
    ...pictures.flatMap((picture, n) => [
      ...['-map', `${String(n)}:v`, '-frames:v', '1', '-vf', letterboxFilter(picture)],
      ...['-pix_fmt', 'rgb24', '-f', 'rawvideo', picture.output],
    ]),
  ];
}

/**
 * `accurate_rnd+bitexact`: without them the pixels, and so the scores, depend on the processor.
 * Grey bars, where the model's own evaluation has black ones: cars seen from above are found in 4 frames of 30 rather than in 2.
 */
function letterboxFilter(picture: Size): string {
  const { width, height, left, top } = letterbox(picture);
  const scale = `scale=${[width, height, 'flags=area+accurate_rnd+bitexact'].join(':')}`;
  return `${scale},pad=${[SIDE, SIDE, left, top, 'color=gray'].join(':')}`;
}

/**
 * Each picture with its pixels as the model takes them: rgb24, `Uint8Array` of shape `[512, 512, 3]`.
 * @param dir where files may be written
 * @throws PermanentError `unreadable-frame`, naming the file.
 */
export async function decode<P extends FrameImage>(
  pictures: readonly P[],
  dir: string,
  exec: Exec,
): Promise<{ picture: P; rgb: Uint8Array }[]> {
  const targets = pictures.map((picture, n) => ({ ...picture, output: join(dir, `picture_${String(n)}.rgb`) }));
  try {
    await exec('ffmpeg', decodeArgs(targets));
  } catch (error) {
    if (!rejectsInput(error)) throw error;
    const [only, another] = pictures;
    if (only && !another) throw unreadable(only, error);
    // The failure of many does not tell which of them is at fault; alone, each does.
    for (const picture of pictures) await decode([picture], dir, exec);
    throw error;
  }
  return Promise.all(
    targets.map(async (picture) => {
      const rgb = await readFile(picture.output);
      if (rgb.length !== PICTURE_BYTES) throw unreadable(picture);
      return { picture, rgb };
    }),
  );
}

/** Whether the tool itself gave up, rather than being missing or killed. */
function rejectsInput(error: unknown): boolean {
  return error instanceof ToolError && error.exitCode !== undefined && !error.killedBy && !error.timedOut;
}

function unreadable(picture: FrameImage, cause?: unknown): PermanentError {
  const sentence = `${basename(picture.path)} cannot be decoded as a JPEG picture; run the stage that made the clip's frames again`;
  return new PermanentError('unreadable-frame', sentence, { cause, ...(cause instanceof ToolError && { stderr: cause.stderr }) });
}
