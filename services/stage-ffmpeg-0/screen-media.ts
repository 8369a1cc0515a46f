import { extname } from 'node:path';
import { readSignature } from '../../shared/media/signature.ts';
import type { Refusal, UploadHead } from '../../shared/pipeline/stage.ts';

/** Extensions of video and audio files. A file of another type with such a name is rejected, with any other name it is ignored. */
const MEDIA_EXTENSIONS = new Set(
  [
    ...['mp4', 'm4v', 'mov', 'qt', '3gp', '3g2', '3gpp', 'f4v', 'mkv', 'mka', 'mk3d', 'webm', 'avi', 'divx', 'flv', 'asf', 'wmv'],
    ...[
      'wma',
      'ts',
      'mts',
      'm2ts',
      'm2t',
      'mpg',
      'mpeg',
      'mpe',
      'm1v',
      'm2v',
      'mpv',
      'vob',
      'mod',
      'tod',
      'mxf',
      'nut',
      'dv',
      'rm',
    ],
    ...[
      'rmvb',
      'ivf',
      'y4m',
      'h264',
      '264',
      'avc',
      'h265',
      '265',
      'hevc',
      'av1',
      'obu',
      'gif',
      'apng',
      'ogg',
      'ogv',
      'oga',
      'ogx',
    ],
    ...[
      'opus',
      'spx',
      'wav',
      'wave',
      'bwf',
      'rf64',
      'w64',
      'mp3',
      'mp2',
      'mpga',
      'aac',
      'adts',
      'ac3',
      'eac3',
      'ec3',
      'dts',
      'flac',
    ],
    ...['aif', 'aiff', 'aifc', 'caf', 'amr', 'awb', 'au', 'snd', 'wv', 'm4a', 'm4b', 'm4r', 'tta', 'ape', 'mpc', 'dsf'],
  ].map((extension) => `.${extension}`),
);

/** Extensions of subtitles. The pictures of VobSub subtitles (`.sub`) are a programme stream, like a video. */
const SUBTITLE_EXTENSIONS = new Set([
  '.srt',
  '.vtt',
  '.ass',
  '.ssa',
  '.sub',
  '.idx',
  '.sup',
  '.smi',
  '.ttml',
  '.dfxp',
  '.sbv',
  '.lrc',
]);

/** Returns why an upload is not a video or audio file, as far as its name and first bytes show. */
export function screenMedia({ name, head }: UploadHead): Refusal | undefined {
  const extension = extname(name).toLowerCase();
  if (SUBTITLE_EXTENSIONS.has(extension))
    return { result: 'ignored', code: 'ignored-file', message: `"${name}" is a subtitle file, which is not analysed` };
  const signature = readSignature(head);
  const isNamedMedia = MEDIA_EXTENSIONS.has(extension);
  if (signature === 'media' || (signature === 'unknown' && (isNamedMedia || extension === ''))) return undefined;
  const problem = `"${name}" is not a video or audio file, as its first bytes show`;
  return isNamedMedia
    ? { result: 'rejected', code: 'not-media', message: `${problem}; check that it plays, and upload it again` }
    : { result: 'ignored', code: 'not-media', message: `${problem}; upload a video or audio file` };
}
