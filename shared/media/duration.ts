import type { Exec } from '../tools/exec.ts';
import { ffmpegArgs, fileInput } from './ffmpeg.ts';

/** Maximum difference between header and packets (s) at which the header is used: it includes B-frames and priming, packets do not. */
const TOLERANCE_SECONDS = 0.5;

/**
 * Returns arguments that read every video and audio packet and report the time of the last one.
 * @param output Arguments of a further output.
 */
export function measureArgs(path: string, output: readonly string[] = []): string[] {
  const streams = ['-map', '0:V:0?', '-map', '0:a:0?', '-c', 'copy'];
  return [...ffmpegArgs(fileInput(path), [...streams, '-f', 'null', '-progress', 'pipe:1', '-nostats'], '-'), ...output];
}

/** Returns the last `out_time_us` of ffmpeg's `-progress`, in seconds; 0 if it is missing. */
export function lastTime(progress: readonly string[]): number {
  const times = progress
    .filter((line) => line.startsWith('out_time_us='))
    .map((line) => Number(line.slice('out_time_us='.length)));
  const last = times.at(-1) ?? 0;
  return Number.isFinite(last) ? Math.max(0, last / 1e6) : 0;
}

/**
 * Returns the duration of a file in seconds, measured from its packets. Headers are unreliable: that of an interrupted recording
 * or download is too long, browsers stream recordings without one, and that of an MP3 is an estimate. The measurement takes
 * about 0.4 s per hour of video.
 * @param stated Duration in the header; returned if the packets agree.
 * @param output Arguments of a further output that the same process writes.
 */
export async function measureDuration(exec: Exec, path: string, stated: number, output: readonly string[] = []): Promise<number> {
  let measured = 0;
  await exec('ffmpeg', measureArgs(path, output), {
    onLine: (line) => {
      measured = Math.max(measured, lastTime([line]));
    },
  });
  return Math.abs(measured - stated) < TOLERANCE_SECONDS ? stated : measured;
}
