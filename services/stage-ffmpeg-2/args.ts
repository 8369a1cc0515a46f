import { clipFilters, clipInput, countClipFrames, EVEN_SIDES, toFrameRate } from '../../shared/media/clip-video.ts';
import type { ClipWindow } from '../../shared/media/clip-window.ts';
import { ffmpegArgs } from '../../shared/media/ffmpeg.ts';
import { pcmArgs, silenceArgs } from '../../shared/media/pcm.ts';

type Part = Pick<ClipWindow, 'preroll' | 'duration'>;

/** Sample rate in Hz on which speech engines are trained. */
const RATE = 16_000;

/** Parameters of x264 that differ from the preset (docs/decisions/encoding.md). */
const X264 = [
  // x264's lookahead thread races with the end of the stream: without this, one encoding in four had other bytes.
  'sync-lookahead=0',
  // The size of `veryfast` at two thirds to four fifths of its processor time.
  ...['mbtree=1', 'rc-lookahead=10', 'b-adapt=0'],
];

/** Returns arguments that write the audio of a clip, or silence, of exactly its length. */
export function speechArgs(clip: string, hasAudio: boolean, { preroll, duration }: Part, target: string): string[] {
  const pcm = { rate: RATE, duration };
  return hasAudio ? pcmArgs(clipInput(clip), { ...pcm, skip: preroll }, target) : silenceArgs(pcm, target);
}

/**
 * Returns arguments that write the video of a clip as H.264: constant frame rate, exactly as long as the window, upright, 8 bit.
 * Standard output contains `frame=` and the number of frames.
 * @param fps Frame rate of the source; limited to 10–60.
 */
export function videoArgs(clip: string, part: Part, fps: number, target: string): string[] {
  const rate = toFrameRate(fps);
  const filters = [...clipFilters(part, rate), EVEN_SIDES, 'setsar=1', 'format=yuv420p'];
  return ffmpegArgs(
    clipInput(clip, { withEarlyFrames: true }),
    [
      ...['-map', '0:V:0', '-filter:v', filters.join(','), '-frames:v', String(countClipFrames(part, rate))],
      // The output of x264 depends on the number of threads, so it is fixed.
      ...['-c:v', 'libx264', '-crf', '30', '-preset', 'superfast', '-threads', '2'],
      ...['-x264-params', X264.join(':'), '-movflags', '+faststart'],
      ...['-progress', 'pipe:1', '-nostats'],
    ],
    target,
  );
}
