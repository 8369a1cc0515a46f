import { ffmpegArgs, fileInput } from '../../shared/media/ffmpeg.ts';

/** Sample rate in Hz on which speech engines are trained. */
export const RATE = 16_000;

/** Returns arguments that write the samples of a WAV file at {@link RATE} (s16le, mono), without a header. */
export function resampleArgs(audio: string, target: string): string[] {
  return ffmpegArgs(fileInput(audio), ['-ar', String(RATE), '-f', 's16le'], target);
}
