import type { ClipWindow } from '../../shared/media/clip-window.ts';
import { ffmpegArgs, fileInput } from '../../shared/media/ffmpeg.ts';
import { pcmArgs, silenceArgs } from '../../shared/media/pcm.ts';

type Part = Pick<ClipWindow, 'preroll' | 'duration'>;

/** Sample rate in Hz on which speech engines are trained. */
const RATE = 16_000;

/** Returns arguments that write the audio of a clip, or silence, of exactly its length. */
export function speechArgs(clip: string, hasAudio: boolean, { preroll, duration }: Part, target: string): string[] {
  const pcm = { rate: RATE, duration };
  return hasAudio ? pcmArgs(fileInput(clip, ...clock(clip)), { ...pcm, skip: preroll }, target) : silenceArgs(pcm, target);
}

/**
 * Returns arguments that write the video of a clip as H.264: constant frame rate, exactly as long as the window, upright, 8 bit.
 * @param fps Frame rate of the source; limited to 10–60.
 */
export function videoArgs(clip: string, { preroll, duration }: Part, fps: number, target: string): string[] {
  const rate = toFrameRate(fps);
  const filters = [
    `setpts=PTS-${preroll}/TB`,
    // The frame on display at the start of the window may be much older (slides, screen recordings), and may be the last of
    // the stream. Each frame lasts until the next one, and then the beginning is cut.
    `fps=${rate}`,
    'tpad=stop=-1:stop_mode=clone',
    `fps=${rate}:start_time=0`,
    // H.264 with 4:2:0 requires even sides.
    'pad=ceil(iw/2)*2:ceil(ih/2)*2',
    'setsar=1',
    'format=yuv420p',
  ];
  return ffmpegArgs(
    fileInput(clip, ...clock(clip), ...keepEarlyFrames(clip)),
    [
      ...['-map', '0:V:0', '-filter:v', filters.join(','), '-frames:v', String(Math.max(1, Math.round(duration * rate)))],
      // The output of x264 depends on the number of threads, so it is fixed.
      ...['-c:v', 'libx264', '-crf', '30', '-preset', 'veryfast', '-threads', '2'],
      // x264's lookahead thread races with the end of the stream: without this, one encoding in four had other bytes.
      ...['-x264-params', 'sync-lookahead=0', '-movflags', '+faststart'],
    ],
    target,
  );
}

/** Returns a frame rate of 10 to 60: below 10 a slide would change up to a second late, above 60 there is no visible gain. */
export function toFrameRate(fps: number): number {
  return Math.min(60, Math.max(10, fps));
}

/** The clock of an MP4 clip is 0 at its start, even if its first packet is later. That of a Matroska clip begins with its first packet. */
function clock(clip: string): string[] {
  return clip.endsWith('.mp4') ? ['-copyts'] : [];
}

/** Keeps the frames before the start of an MP4 clip, at negative times: one of them is on display at the start. */
function keepEarlyFrames(clip: string): string[] {
  return clip.endsWith('.mp4') ? ['-advanced_editlist', '0'] : [];
}
