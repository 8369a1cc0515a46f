import { clipFilters, clipInput, countClipFrames, EVEN_SIDES } from '../../shared/media/clip-video.ts';
import type { ClipWindow } from '../../shared/media/clip-window.ts';
import { ffmpegArgs } from '../../shared/media/ffmpeg.ts';
import { intervalCondition, type Sampling } from './sampling.ts';

/** Frame names have four digits. */
export const MAX_FRAMES = 9999;

/** Difference from the previous frame above which a frame starts a scene, 0 … 1. It is the default of ffmpeg's filter `scdet`. */
const SCENE_THRESHOLD = 0.1;

/** Minimum interval between frames of scene changes, in seconds. Flashing lights would otherwise yield all frames. */
const MIN_SCENE_SECONDS = 0.5;

/**
 * Returns arguments that write the frames of a clip on display at 0, `interval`, 2 · `interval` … seconds, at least one, and those
 * after scene changes. Standard output contains the position of each. @param pattern Such as `frame_%04d.jpg`.
 */
export function frameArgs(
  clip: string,
  part: Pick<ClipWindow, 'preroll' | 'duration'>,
  sampling: Sampling,
  pattern: string,
): string[] {
  const { rate } = sampling;
  // Variable 0 is the position of the last scene change.
  const scene = `if(gt(scene,${SCENE_THRESHOLD})*gte(n-ld(0),${MIN_SCENE_SECONDS * rate}),st(0,n))`;
  const filters = [
    ...clipFilters(part, rate),
    `trim=end_frame=${countClipFrames(part, rate)}`,
    `select='${intervalCondition(sampling)}+${scene}'`,
    'metadata=print:key=lavfi.scene_score:file=-',
    EVEN_SIDES,
    'format=yuvj420p',
  ];
  return ffmpegArgs(
    clipInput(clip, { withEarlyFrames: true }),
    [
      // Without `passthrough`, ffmpeg repeats each frame until the next one.
      ...['-map', '0:V:0', '-filter:v', filters.join(','), '-vsync', 'passthrough'],
      ...['-frames:v', String(MAX_FRAMES), '-c:v', 'mjpeg', '-q:v', '3', '-threads', '1', '-f', 'image2'],
    ],
    pattern,
  );
}
