import type { Media } from '../../schemas/generated/types.ts';
import { ffmpegArgs, fileInput, GLOBAL_OPTIONS, outputArgs } from '../../shared/media/ffmpeg.ts';

/** Codecs that ffmpeg's MP4 muxer supports and its demuxer cuts exactly, by edit list. */
const MP4_VIDEO = new Set(['h264', 'hevc', 'av1', 'vp9', 'mpeg4']);
const MP4_AUDIO = new Set(['aac', 'mp3', 'ac3', 'eac3', 'alac']);

/** Audio codecs that the Matroska muxer supports. Others (AMR, QuickTime's ADPCM …) are decoded to PCM. */
const COPIED_AUDIO =
  /^(aac|alac|mp[123]|e?ac3|dts|truehd|mlp|opus|vorbis|flac|tta|wavpack|wmav[12]|wmapro|adpcm_(ms|ima_wav)|pcm_(u8|[sf](16|24|32)le|s(16|24)be|alaw|mulaw))$/;

/** Returns the container of the clips of a source: MP4 if it supports the codecs, else Matroska. */
export function containerFor({ video, audio }: Pick<Media, 'video' | 'audio'>): 'mp4' | 'mkv' {
  return (!video || MP4_VIDEO.has(video.codec)) && (!audio || MP4_AUDIO.has(audio.codec)) ? 'mp4' : 'mkv';
}

/**
 * Returns whether ffmpeg finds the keyframe at or before a time without reading up to it. In MPEG-TS and PS it starts at any
 * packet, so a copy would begin at the next keyframe. In MP3 and ADTS it estimates the position.
 * @param format The field `format` of `media.json`.
 */
export function isSeekable(format: string): boolean {
  return ['mov', 'matroska', 'wav'].includes(format.split(',')[0] ?? '');
}

/** Returns output options that copy the streams that FAVE analyses. @param input Number of the input. */
function streams({ video, audio }: Pick<Media, 'video' | 'audio'>, input = 0): string[] {
  return [
    ...(video ? ['-map', `${input}:V:0`, '-c:v', 'copy'] : []),
    ...(audio ? ['-map', `${input}:a:0`, '-c:a', COPIED_AUDIO.test(audio.codec) ? 'copy' : 'pcm_s16le'] : []),
  ];
}

/** Returns arguments that remux a source into Matroska, which has an index of keyframes. */
export function remuxArgs(source: string, media: Media, target: string): string[] {
  // AVI and PS have decoding times only, which Matroska rejects.
  return ffmpegArgs(fileInput(source, '-fflags', '+genpts'), streams(media), target);
}

/** A clip to cut: `start` to `end` (seconds) of the source. */
export interface Cut {
  readonly start: number;
  readonly end: number;
  /** Path of the clip. */
  readonly target: string;
}

/**
 * Returns arguments that copy parts of a source, each from the keyframe at or before its start. `-ss` and `-t` precede `-i`, so
 * ffmpeg seeks and does not read up to the start. One process cuts several clips, because its start takes longer than a copy.
 *
 * The clock of an MP4 clip begins at `start`: its edit list hides the pre-roll. Matroska has no edit list, so such a clip keeps
 * the clock of the source (`-copyts`), from which its pre-roll is computed.
 */
export function cutArgs(source: string, media: Media, cuts: readonly Cut[]): string[] {
  const input = ({ start, end, target }: Cut): string[] => {
    // At 0 a seek would only drop the encoder's priming, which is before 0.
    const seek = start > 0 ? ['-ss', seconds(start)] : [];
    const clock = target.endsWith('.mkv') ? ['-copyts', '-start_at_zero'] : [];
    return fileInput(source, ...clock, ...seek, '-t', seconds(end - start));
  };
  const outputs = cuts.flatMap(({ target }, n) => outputArgs(streams(media, n), target));
  return [...GLOBAL_OPTIONS, ...cuts.flatMap(input), ...outputs];
}

function seconds(value: number): string {
  return value.toFixed(6);
}
