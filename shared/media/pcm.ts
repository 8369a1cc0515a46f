import { ffmpegArgs, lavfiInput } from './ffmpeg.ts';

/** Mono PCM s16le of an exact length. */
export interface Pcm {
  /** Hz. */
  readonly rate: number;
  /** Seconds. */
  readonly duration: number;
}

/**
 * Returns arguments that write the first audio stream of an input as WAV on the clock of the input: from `skip` seconds on, with
 * silence in place of missing audio. Times found in the audio are then times of the input.
 */
export function pcmArgs(
  input: readonly string[],
  { rate, duration, skip = 0 }: Pcm & { readonly skip?: number },
  target: string,
): string[] {
  const filters = [
    ...(skip > 0 ? [`asetpts=PTS-${skip}/TB`] : []),
    // `async=1` fills and cuts but never stretches. `first_pts=0` pads or cuts the beginning. Gaps count from 30 ms: with the
    // default of 100 ms the audio of fragmented MP4 was 57 ms early.
    'aresample=async=1:min_hard_comp=0.03:first_pts=0',
    `aformat=sample_fmts=s16:sample_rates=${rate}:channel_layouts=mono`,
    `apad=whole_len=${countSamples({ rate, duration })}`,
    `atrim=end_sample=${countSamples({ rate, duration })}`,
  ];
  return ffmpegArgs(input, ['-map', '0:a:0', '-filter:a', filters.join(','), '-c:a', 'pcm_s16le'], target);
}

/** Returns arguments that write digital silence. */
export function silenceArgs({ rate, duration }: Pcm, target: string): string[] {
  const filter = `atrim=end_sample=${countSamples({ rate, duration })}`;
  return ffmpegArgs(lavfiInput(`anullsrc=r=${rate}:cl=mono`), ['-filter:a', filter, '-c:a', 'pcm_s16le'], target);
}

function countSamples({ rate, duration }: Pcm): number {
  return Math.max(1, Math.round(duration * rate));
}
