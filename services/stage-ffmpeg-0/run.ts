import { join } from 'node:path';
import { kinds } from '../../schemas/kinds.ts';
import { fitWav } from '../../shared/media/wav.ts';
import type { Item, StageContext } from '../../shared/pipeline/stage.ts';
import { RATE } from './args.ts';
import type { Limits } from './limits.ts';
import { readInput } from './read-input.ts';

export async function run(input: Item, { settings, exec, outputs, dir }: StageContext<unknown, Limits>): Promise<void> {
  const audio = join(dir, 'audio.wav');
  const media = await readInput(input, settings, exec, audio);
  // Consumers of the audio read media.json, so it is stored first.
  await outputs.json(kinds.media, media);
  await fitWav(audio, { rate: RATE, samples: Math.max(1, Math.round(media.duration * RATE)) });
  await outputs.file(kinds.audio, audio);
}
