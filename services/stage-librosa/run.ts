import { kinds } from '../../schemas/kinds.ts';
import { PermanentError } from '../../shared/core/errors.ts';
import { BATCH_CLIPS } from '../../shared/pipeline/artifact.ts';
import type { Item, StageContext } from '../../shared/pipeline/stage.ts';
import { analyse } from './analyse.ts';
import { toClips, toSeconds } from './clips.ts';
import { cutAtSilence } from './silence.ts';
import { toDecibels } from './split.ts';
import { cutAtThreshold } from './threshold.ts';

type Options = { readonly segmentation: 'silence' | 'fave' };
type Settings = { readonly 'max-clips': number };

export async function run(
  audio: Item,
  { options: { segmentation }, settings, outputs, signal }: StageContext<Options, Settings>,
): Promise<void> {
  const maxClips = settings['max-clips'];
  const analysis = await analyse(await audio.file(), signal);
  const { samples } = analysis;
  const dB = toDecibels(analysis.rms);
  const { topDb, ends } =
    segmentation === 'fave' ? cutAtThreshold(dB, samples) : { topDb: null, ends: cutAtSilence(dB, samples, maxClips) };
  if (ends.length > maxClips)
    throw new PermanentError(
      'too-many-clips',
      `the audio would be cut into ${ends.length} clips; the limit is ${maxClips} (FAVE_MAX_CLIPS)`,
    );
  const clips = toClips(ends, analysis);
  await outputs.json(kinds.segments, { segmentation, top_db: topDb, duration: toSeconds(samples), clips });
  for (let first = 0; first < clips.length; first += BATCH_CLIPS) {
    const cuts = clips.slice(first, first + BATCH_CLIPS).map(({ start, end }) => ({ start, end }));
    await outputs.json(kinds.batch, { first: first + 1, clips: cuts }, { indices: { batch: 1 + first / BATCH_CLIPS } });
  }
}
