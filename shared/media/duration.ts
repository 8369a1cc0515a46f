import type { Exec } from '../tools/exec.ts';
import { argumentsOf, createFileCommand } from './ffmpeg.ts';

/** Seconds by which a header may differ from the packets and still be believed: it counts B-frames and priming, packets do not. */
const TOLERANCE = 0.5;

/** Reads every packet of the picture and sound, decodes none, and reports the time of the last one. */
export function measureArgs(path: string): string[] {
  const streams = ['-map', '0:V:0?', '-map', '0:a:0?'];
  const command = createFileCommand(path).outputOptions(
    ...streams,
    '-c',
    'copy',
    '-f',
    'null',
    '-progress',
    'pipe:1',
    '-nostats',
  );
  return argumentsOf(command, '-');
}

/** The last `out_time_us` of ffmpeg's `-progress`, in seconds; 0 where there is none. */
export function lastTime(progress: readonly string[]): number {
  const times = progress
    .filter((line) => line.startsWith('out_time_us='))
    .map((line) => Number(line.slice('out_time_us='.length)));
  const last = times.at(-1) ?? 0;
  return Number.isFinite(last) ? Math.max(0, last / 1e6) : 0;
}

/**
 * How long a file really is, in seconds. Headers lie: a recording cut off by a crash or an interrupted download states more than it
 * holds, one streamed by a browser states nothing, and an MP3 only guesses. Reading the packets takes about 0.4 s an hour of video.
 * @param stated What the header says; returned where the packets agree.
 */
export async function measureDuration(exec: Exec, path: string, stated: number): Promise<number> {
  let measured = 0;
  await exec('ffmpeg', measureArgs(path), {
    onLine: (line) => {
      measured = Math.max(measured, lastTime([line]));
    },
  });
  return Math.abs(measured - stated) < TOLERANCE ? stated : measured;
}
