import { clipFilters, clipInput, countClipFrames, EVEN_SIDES, toFrameRate } from '../../shared/media/clip-video.ts';
import type { ClipWindow } from '../../shared/media/clip-window.ts';
import { GLOBAL_OPTIONS, outputArgs } from '../../shared/media/ffmpeg.ts';
import { intervalCondition, type Sampling } from './sampling.ts';

type Part = Pick<ClipWindow, 'preroll' | 'duration'>;

/** Frame names have four digits. */
export const MAX_FRAMES = 9999;

/** Difference from the previous frame above which a frame starts a scene, 0 … 1. It is the default of ffmpeg's filter `scdet`. */
const SCENE_THRESHOLD = 0.1;

/** Minimum interval between frames of scene changes, in seconds. Flashing lights would otherwise yield all frames. */
const MIN_SCENE_SECONDS = 0.5;

/** Parameters of x264 that differ from the preset (docs/decisions/encoding.md). */
const X264 = [
  // x264's lookahead thread races with the end of the stream: without this, one encoding in four had other bytes.
  'sync-lookahead=0',
  // The size of `veryfast` at half to two thirds of its processor time.
  ...['mbtree=1', 'rc-lookahead=10', 'bframes=5', 'b-adapt=0', 'subme=0'],
];

/** Video of a source and the choice of frames. */
export interface Pictures {
  /** Frame rate of the source. */
  readonly fps: number;
  readonly sampling: Sampling;
}

/**
 * Returns arguments of one ffmpeg that decodes a clip once and writes its video and its frames. Standard output contains the
 * position of each frame.
 * @param pattern Paths of the frames, such as `frame_%04d.jpg`.
 */
export function pictureArgs(clip: string, part: Part, { fps, sampling }: Pictures, video: string, pattern: string): string[] {
  return [
    ...GLOBAL_OPTIONS,
    // The muxer of frames would otherwise repeat each one until the next. The video has a constant frame rate already.
    ...['-vsync', 'vfr'],
    ...clipInput(clip, { withEarlyFrames: true }),
    ...outputArgs(videoOptions(part, fps), video),
    ...outputArgs(frameOptions(part, sampling), pattern),
  ];
}

/** Returns options that encode the clip as H.264: constant frame rate, exactly as long as the clip, upright, 8 bit. */
function videoOptions(part: Part, fps: number): string[] {
  const rate = toFrameRate(fps);
  const filters = [...clipFilters(part, rate), EVEN_SIDES, 'setsar=1', 'format=yuv420p'];
  return [
    ...['-map', '0:V:0', '-filter:v', filters.join(','), '-frames:v', String(countClipFrames(part, rate))],
    // The output of x264 depends on the number of threads, so it is fixed.
    ...['-c:v', 'libx264', '-crf', '29.3', '-preset', 'superfast', '-threads', '2'],
    ...['-x264-params', X264.join(':'), '-movflags', '+faststart'],
  ];
}

/**
 * Returns options that select the frames on display at 0, `interval`, 2 · `interval` … seconds, at least one, and those after scene
 * changes.
 */
function frameOptions(part: Part, sampling: Sampling): string[] {
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
  return [
    ...['-map', '0:V:0', '-filter:v', filters.join(',')],
    ...['-frames:v', String(MAX_FRAMES), '-c:v', 'mjpeg', '-q:v', '3', '-threads', '1', '-f', 'image2'],
  ];
}
