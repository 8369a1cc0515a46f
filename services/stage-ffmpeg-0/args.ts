import type { Media } from '../../schemas/generated/types.ts';
import { fileInput } from '../../shared/media/ffmpeg.ts';
import { pcmArgs, silenceArgs } from '../../shared/media/pcm.ts';

/** Sample rate in Hz: the default of librosa, on which the segmentation depends. */
const RATE = 22_050;

/** Returns arguments that write the first audio stream of a source, or silence, as long as the source. */
export function audioArgs(source: string, { audio, duration }: Pick<Media, 'audio' | 'duration'>, target: string): string[] {
  const pcm = { rate: RATE, duration };
  return audio ? pcmArgs(fileInput(source), pcm, target) : silenceArgs(pcm, target);
}
