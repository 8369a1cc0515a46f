import type { ClipWindow } from './clip-window.ts';
import { fileInput } from './ffmpeg.ts';

/** Returns the input arguments of ffmpeg for a clip whose timestamps count from the clip's start minus its pre-roll. */
export function clipInput(clip: string, { withEarlyFrames = false } = {}): string[] {
  // The clock of an MP4 clip is 0 at its start, even if its first packet is later. That of a Matroska clip begins with its first packet.
  if (!clip.endsWith('.mp4')) return fileInput(clip);
  // Frames before the start of an MP4 clip are hidden, at negative times. One of them is on display at the start.
  return fileInput(clip, '-copyts', ...(withEarlyFrames ? ['-advanced_editlist', '0'] : []));
}

/**
 * Returns filters that show a clip from its start at a constant frame rate. The last frame is repeated without end.
 * @param rate Result of {@link toFrameRate}.
 */
export function clipFilters({ preroll }: Pick<ClipWindow, 'preroll'>, rate: number): string[] {
  return [
    `setpts=PTS-${preroll}/TB`,
    // The frame on display at the start of the window may be much older (slides, screen recordings), and may be the last of
    // the stream. Each frame lasts until the next one, and then the beginning is cut.
    `fps=${rate}`,
    'tpad=stop=-1:stop_mode=clone',
    `fps=${rate}:start_time=0`,
  ];
}

/** Returns the number of frames of a clip, at least one. */
export function countClipFrames({ duration }: Pick<ClipWindow, 'duration'>, rate: number): number {
  return Math.max(1, Math.round(duration * rate));
}

/** Filter that makes sides even, as H.264 with 4:2:0 requires. */
export const EVEN_SIDES = 'pad=ceil(iw/2)*2:ceil(ih/2)*2';

/** Limits a frame rate to 10–60 frames per second. Lower rates show a change late; higher rates have no visible benefit. */
export function toFrameRate(fps: number): number {
  return Math.min(60, Math.max(10, fps));
}
