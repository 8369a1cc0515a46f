import { join } from 'node:path';
import { kinds } from '../../schemas/kinds.ts';
import type { Item, StageContext } from '../../shared/pipeline/stage.ts';
import { audioArgs } from './args.ts';
import type { Limits } from './limits.ts';
import { probeInput } from './probe-input.ts';

export async function run(input: Item, { settings, exec, outputs, dir }: StageContext<unknown, Limits>): Promise<void> {
  const media = await probeInput(input, settings, exec);
  // Consumers of the audio read media.json, so it is stored first.
  await outputs.json(kinds.media, media);

  const audio = join(dir, 'audio.wav');
  await exec('ffmpeg', audioArgs(await input.file(), media, audio));
  await outputs.file(kinds.audio, audio);
}
