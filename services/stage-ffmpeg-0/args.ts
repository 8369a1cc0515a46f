import type { Media } from '../../schemas/generated/types.ts';
import { createFileCommand } from '../../shared/media/ffmpeg.ts';
import { pcmArgs, silenceArgs } from '../../shared/media/pcm.ts';

/** Hz; librosa's default, which its numbers depend on. */
const RATE = 22_050;

/** The source's first audio stream, or silence, for as long as the source lasts. */
export function audioArgs(source: string, { audio, duration }: Pick<Media, 'audio' | 'duration'>, target: string): string[] {
  const pcm = { rate: RATE, duration };
  return audio ? pcmArgs(createFileCommand(source), pcm, target) : silenceArgs(pcm, target);
}
