import { outputArgs } from '../../shared/media/ffmpeg.ts';

/** Sample rate in Hz: the default of librosa, on which the segmentation depends. */
export const RATE = 22_050;

/** Mono 16-bit samples on the clock of the source, with silence in place of missing audio. */
const FILTERS = [
  // `async=1` fills and cuts but never stretches. `first_pts=0` pads or cuts the beginning. Gaps count from 30 ms: with the
  // default of 100 ms the audio of fragmented MP4 was 57 ms early.
  'aresample=async=1:min_hard_comp=0.03:first_pts=0',
  `aformat=sample_fmts=s16:sample_rates=${RATE}:channel_layouts=mono`,
];

/**
 * Returns the arguments of an output that contains the first audio stream of the input as WAV. Times found in the audio are times
 * of the source.
 * @param maxSeconds Length at which the output ends.
 */
export function audioOutput(maxSeconds: number, target: string): string[] {
  const options = ['-map', '0:a:0', '-filter:a', FILTERS.join(','), '-c:a', 'pcm_s16le', '-t', String(maxSeconds)];
  return outputArgs(options, target);
}
