import type { Segments } from '../../../schemas/generated/types.ts';
import { kinds } from '../../../schemas/kinds.ts';
import { analyse, type Analysis } from '../../../services/stage-librosa/analyse.ts';
import stage from '../../../services/stage-librosa/stage.ts';
import { writeMedia } from '../../support/media.ts';
import { runStageLocally } from '../../support/stage-harness.ts';
import { wavFile } from '../../support/wav.ts';

/** Runs the stage on a local file and returns its artifact. */
export async function runStage(
  path: string,
  segmentation: Segments['segmentation'] = 'silence',
  signal?: AbortSignal,
): Promise<Segments> {
  const item = { kind: kinds.audio, path };
  const ran = await runStageLocally(stage, item, { options: { segmentation }, ...(signal && { signal }) });
  return ran.json<Segments>(kinds.segments);
}

/** Writes samples to a WAV file and returns its path. */
export function writeSamples(samples: Int16Array): string {
  return writeMedia('audio.wav', wavFile(samples));
}

/** Analyses samples. */
export function analyseSamples(samples: Int16Array): Promise<Analysis> {
  return analyse(writeSamples(samples), new AbortController().signal);
}
