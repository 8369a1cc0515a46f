import { ffmpegArgs, fileInput } from '../../shared/media/ffmpeg.ts';

/** Frame names have four digits. */
export const MAX_FRAMES = 9999;

/** Returns arguments that write frames at 0, `interval`, 2 · `interval` … seconds, at least one. @param pattern Such as `frame_%04d.jpg`. */
export function frameArgs(video: string, interval: number, pattern: string): string[] {
  return ffmpegArgs(
    fileInput(video),
    [
      // `round=up` takes the frame on display at each time. ffmpeg's default takes the one half an interval later.
      ...['-map', '0:V:0', '-filter:v', `fps=1/${interval}:start_time=0:round=up,format=yuvj420p`],
      ...['-frames:v', String(MAX_FRAMES), '-c:v', 'mjpeg', '-q:v', '3', '-threads', '1', '-f', 'image2'],
    ],
    pattern,
  );
}
