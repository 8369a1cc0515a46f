import { argumentsOf, generate, open } from '../../shared/media/ffmpeg.ts';
import type { Window } from '../../shared/media/window.ts';

type Part = Pick<Window, 'preroll' | 'duration'>;

/** Hz; what speech engines are trained on. */
export const SAMPLE_RATE = 16_000;

/** The clip's sound as mono PCM of exactly the window's length. */
export function speechArgs(clip: string, { preroll, duration }: Part, target: string): string[] {
  const length = samples(duration);
  const command = open(clip, ...clock(clip))
    .outputOptions('-map', '0:a:0')
    .audioFilters([
      `asetpts=PTS-${preroll}/TB`,
      // Cuts the pre-roll to the sample and fills gaps, so that a word's time in the WAV is its time in the clip.
      'aresample=async=1:first_pts=0',
      `aformat=sample_fmts=s16:sample_rates=${SAMPLE_RATE}:channel_layouts=mono`,
      `apad=whole_len=${length}`,
      `atrim=end_sample=${length}`,
    ])
    .audioCodec('pcm_s16le');
  return argumentsOf(command, target);
}

/** Digital silence, for a clip without sound. */
export function silenceArgs(duration: number, target: string): string[] {
  const command = generate(`anullsrc=r=${SAMPLE_RATE}:cl=mono`)
    .audioFilters(`atrim=end_sample=${samples(duration)}`)
    .audioCodec('pcm_s16le');
  return argumentsOf(command, target);
}

/**
 * The clip's picture as H.264 of constant frame rate and exactly the window's length, upright, 8 bit.
 * @param fps Of the source; kept between 10 and 60.
 */
export function videoArgs(clip: string, { preroll, duration }: Part, fps: number, target: string): string[] {
  const rate = frameRate(fps);
  const command = open(clip, ...clock(clip), ...undiscarded(clip))
    .outputOptions('-map', '0:V:0')
    .videoFilters([
      `setpts=PTS-${preroll}/TB`,
      // The picture on display at the window's start may be a frame from long before it (slides, screen recordings), and may
      // be the last one there is: hold each until the next, and then cut.
      `fps=${rate}`,
      'tpad=stop=-1:stop_mode=clone',
      `fps=${rate}:start_time=0`,
      // H.264 of 4:2:0 has even sides only.
      'pad=ceil(iw/2)*2:ceil(ih/2)*2',
      'setsar=1',
      'format=yuv420p',
    ])
    .frames(Math.max(1, Math.round(duration * rate)))
    .videoCodec('libx264')
    // x264 gives other bytes for another number of threads, so it is fixed instead of following the machine.
    .outputOptions('-crf', '30', '-preset', 'veryfast', '-threads', '2', '-movflags', '+faststart');
  return argumentsOf(command, target);
}

/** Below 10 a slide would change up to a second late; above 60 nothing more is seen. */
export function frameRate(fps: number): number {
  return Math.min(60, Math.max(10, fps));
}

/** An MP4 clip's clock is 0 at its start even where its first packet is later; a Matroska clip's begins with its first packet. */
function clock(clip: string): string[] {
  return clip.endsWith('.mp4') ? ['-copyts'] : [];
}

/** Keeps the frames before an MP4 clip's start, at negative times, for the one that is still on display at its start. */
function undiscarded(clip: string): string[] {
  return clip.endsWith('.mp4') ? ['-advanced_editlist', '0'] : [];
}

function samples(seconds: number): number {
  return Math.max(1, Math.round(seconds * SAMPLE_RATE));
}
