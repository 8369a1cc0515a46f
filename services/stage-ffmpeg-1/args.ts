import type { Media } from '../../schemas/generated/types.ts';
import { argumentsOf, createFileCommand } from '../../shared/media/ffmpeg.ts';

/** Codecs that ffmpeg's MP4 muxer carries and its demuxer cuts exactly, by edit list. */
const MP4_VIDEO = new Set(['h264', 'hevc', 'av1', 'vp9', 'mpeg4']);
const MP4_AUDIO = new Set(['aac', 'mp3', 'ac3', 'eac3', 'alac']);

/** Sound that the Matroska muxer carries; all else (AMR, QuickTime's ADPCM …) is decoded to PCM, as no container of ours can copy it. */
const COPIED_AUDIO =
  /^(aac|alac|mp[123]|e?ac3|dts|truehd|mlp|opus|vorbis|flac|tta|wavpack|wmav[12]|wmapro|adpcm_(ms|ima_wav)|pcm_(u8|[sf](16|24|32)le|s(16|24)be|alaw|mulaw))$/;

/** The container of a source's clips: MP4 where it can carry the codecs, else Matroska. */
export function containerFor({ video, audio }: Pick<Media, 'video' | 'audio'>): 'mp4' | 'mkv' {
  return (!video || MP4_VIDEO.has(video.codec)) && (!audio || MP4_AUDIO.has(audio.codec)) ? 'mp4' : 'mkv';
}

/**
 * Whether ffmpeg finds a keyframe at or before any time of such a source without reading up to it. MPEG-TS and PS are entered
 * anywhere, so that a copy would begin at the *next* keyframe; in MP3 and ADTS the place is only guessed.
 * @param format As in `media.json`.
 */
export function isSeekable(format: string): boolean {
  return ['mov', 'matroska', 'wav'].includes(format.split(',')[0] ?? '');
}

/** The streams that FAVE looks at, as they are. */
function streams({ video, audio }: Pick<Media, 'video' | 'audio'>): string[] {
  return [
    ...(video ? ['-map', '0:V:0', '-c:v', 'copy'] : []),
    ...(audio ? ['-map', '0:a:0', '-c:a', COPIED_AUDIO.test(audio.codec) ? 'copy' : 'pcm_s16le'] : []),
  ];
}

/** The whole source into Matroska, which has an index of keyframes. */
export function remuxArgs(source: string, media: Media, target: string): string[] {
  // AVI and PS have decoding times only, which Matroska refuses.
  return argumentsOf(createFileCommand(source, '-fflags', '+genpts').outputOptions(...streams(media)), target);
}

/**
 * Copies `start` to `end` (seconds) out of a source, from the keyframe at or before `start`. `-ss` and `-t` stand before `-i`, so that
 * ffmpeg jumps there instead of reading up to it.
 *
 * An MP4 clip's clock begins at `start`: its edit list hides the pre-roll. Matroska has none, so such a clip keeps the source's
 * clock (`-copyts`), from which its pre-roll is told.
 */
export function cutArgs(source: string, media: Media, { start, end }: { start: number; end: number }, target: string): string[] {
  // At 0 a seek would only lose the encoder's priming, which lies before 0.
  const seek = start > 0 ? ['-ss', seconds(start)] : [];
  const clock = target.endsWith('.mkv') ? ['-copyts', '-start_at_zero'] : [];
  const command = createFileCommand(source, ...clock, ...seek, '-t', seconds(end - start)).outputOptions(...streams(media));
  return argumentsOf(command, target);
}

function seconds(value: number): string {
  return value.toFixed(6);
}
