import { argumentsOf, generate, open } from '../../shared/media/ffmpeg.ts';

/** Hz; librosa's default, which its numbers depend on. */
export const SAMPLE_RATE = 22_050;

/**
 * The first audio stream as mono PCM on the file's own clock: from the container's time zero to `duration` seconds, with
 * silence where a late, short or interrupted stream has none. Without it every later time would be off by that much.
 */
export function audioArgs(source: string, duration: number, target: string): string[] {
  const command = open(source)
    .outputOptions('-map', '0:a:0')
    .audioFilters([
      // `async=1` fills and cuts gaps, never stretches; `first_pts=0` pads or cuts the beginning.
      'aresample=async=1:first_pts=0',
      `aformat=sample_fmts=s16:sample_rates=${SAMPLE_RATE}:channel_layouts=mono`,
      `apad=whole_len=${samples(duration)}`,
      `atrim=end_sample=${samples(duration)}`,
    ])
    .audioCodec('pcm_s16le');
  return argumentsOf(command, target);
}

/** Digital silence of `duration` seconds, for a video without sound. */
export function silenceArgs(duration: number, target: string): string[] {
  const command = generate(`anullsrc=r=${SAMPLE_RATE}:cl=mono`)
    .audioFilters(`atrim=end_sample=${samples(duration)}`)
    .audioCodec('pcm_s16le');
  return argumentsOf(command, target);
}

function samples(seconds: number): number {
  return Math.max(1, Math.round(seconds * SAMPLE_RATE));
}
