import { argumentsOf, createFileCommand } from '../../shared/media/ffmpeg.ts';
import { pcmArgs, silenceArgs } from '../../shared/media/pcm.ts';
import type { ClipWindow } from '../../shared/media/clip-window.ts';

type Part = Pick<ClipWindow, 'preroll' | 'duration'>;

/** Hz; what speech engines are trained on. */
const RATE = 16_000;

/** The clip's sound, or silence, of exactly its length. */
export function speechArgs(clip: string, hasAudio: boolean, { preroll, duration }: Part, target: string): string[] {
  const pcm = { rate: RATE, duration };
  return hasAudio
    ? pcmArgs(createFileCommand(clip, ...clock(clip)), { ...pcm, skip: preroll }, target)
    : silenceArgs(pcm, target);
}

/**
 * The clip's picture as H.264 of constant frame rate and exactly the window's length, upright, 8 bit.
 * @param fps Of the source; kept between 10 and 60.
 */
export function videoArgs(clip: string, { preroll, duration }: Part, fps: number, target: string): string[] {
  const rate = frameRate(fps);
  const command = createFileCommand(clip, ...clock(clip), ...undiscarded(clip))
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
    .outputOptions('-crf', '30', '-preset', 'veryfast', '-threads', '2')
    // x264's lookahead in a thread of its own races with the end of the stream: about one encoding in four came out with other bytes.
    .outputOptions('-x264-params', 'sync-lookahead=0', '-movflags', '+faststart');
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
