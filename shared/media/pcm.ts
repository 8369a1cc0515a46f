import type { FfmpegCommand } from 'fluent-ffmpeg';
import { argumentsOf, createLavfiCommand } from './ffmpeg.ts';

/** Mono PCM s16le of an exact length. */
export interface Pcm {
  /** Hz. */
  readonly rate: number;
  /** Seconds. */
  readonly duration: number;
}

/**
 * The first audio stream of a command's input as a WAV on the input's own clock: from `skip` seconds on, with silence where a late,
 * short or interrupted stream has none. Without it every time found in the sound would be off by that much.
 */
export function pcmArgs(
  command: FfmpegCommand,
  { rate, duration, skip = 0 }: Pcm & { readonly skip?: number },
  target: string,
): string[] {
  const filters = [
    ...(skip > 0 ? [`asetpts=PTS-${skip}/TB`] : []),
    // `async=1` fills and cuts, never stretches; `first_pts=0` pads or cuts the beginning; a gap counts from 30 ms on, as
    // the default of 100 ms let the sound of fragmented MP4 run 57 ms early.
    'aresample=async=1:min_hard_comp=0.03:first_pts=0',
    `aformat=sample_fmts=s16:sample_rates=${rate}:channel_layouts=mono`,
    `apad=whole_len=${samples({ rate, duration })}`,
    `atrim=end_sample=${samples({ rate, duration })}`,
  ];
  return argumentsOf(command.outputOptions('-map', '0:a:0').audioFilters(filters).audioCodec('pcm_s16le'), target);
}

/** Digital silence, where there is no sound. */
export function silenceArgs({ rate, duration }: Pcm, target: string): string[] {
  const filters = [`atrim=end_sample=${samples({ rate, duration })}`];
  return argumentsOf(createLavfiCommand(`anullsrc=r=${rate}:cl=mono`).audioFilters(filters).audioCodec('pcm_s16le'), target);
}

function samples({ rate, duration }: Pcm): number {
  return Math.max(1, Math.round(duration * rate));
}
