import { kinds } from '../../schemas/kinds.ts';
import type { Item, StageContext } from '../../shared/pipeline/stage.ts';
import { analyse } from './analyse.ts';
import { toClips, toSeconds } from './clips.ts';
import { cutAtSilence } from './silence.ts';
import { toDecibels } from './split.ts';
import { cutAtThreshold } from './threshold.ts';

type Options = { readonly segmentation: 'silence' | 'fave' };

export async function run(audio: Item, { options: { segmentation }, outputs, signal }: StageContext<Options>): Promise<void> {
  const analysis = await analyse(await audio.file(), signal);
  const { samples } = analysis;
  const dB = toDecibels(analysis.rms);
  const { topDb, ends } =
    segmentation === 'fave' ? cutAtThreshold(dB, samples) : { topDb: null, ends: cutAtSilence(dB, samples) };
  await outputs.json(kinds.segments, {
    segmentation,
    top_db: topDb,
    duration: toSeconds(samples),
    clips: toClips(ends, analysis),
  });
}
