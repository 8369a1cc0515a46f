import { ffmpegArgs, fileInput } from '../../shared/media/ffmpeg.ts';

/** Sample rate in Hz on which speech engines are trained. */
export const RATE = 16_000;

/**
 * Returns arguments that write the samples of a WAV file at {@link RATE} (s16le, mono), without a header.
 * @param part Whole seconds, so that the samples equal those of the whole file after the first tenth of a second.
 */
export function resampleArgs(
  audio: string,
  part: { readonly start: number; readonly duration: number },
  target: string,
): string[] {
  const input = fileInput(audio, '-ss', String(part.start), '-t', String(part.duration));
  return ffmpegArgs(input, ['-ar', String(RATE), '-f', 's16le'], target);
}
