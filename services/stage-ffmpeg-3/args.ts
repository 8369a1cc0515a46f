import { argumentsOf, createFileCommand } from '../../shared/media/ffmpeg.ts';

/** Four digits are what a frame's name has. */
export const MAX_FRAMES = 9999;

/** Still pictures at 0, `interval`, 2 · `interval` … seconds; at least one. @param pattern Such as `frame_%04d.jpg`. */
export function frameArgs(video: string, interval: number, pattern: string): string[] {
  const command = createFileCommand(video)
    .outputOptions('-map', '0:V:0')
    // `round=up` takes the picture on display at each time; ffmpeg's default would take the one half an interval later.
    .videoFilters([`fps=1/${interval}:start_time=0:round=up`, 'format=yuvj420p'])
    .frames(MAX_FRAMES)
    .outputOptions('-c:v', 'mjpeg', '-q:v', '3', '-threads', '1', '-f', 'image2');
  return argumentsOf(command, pattern);
}
