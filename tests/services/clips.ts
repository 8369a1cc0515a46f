import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kinds } from '../../schemas/kinds.ts';
import cutter from '../../services/stage-ffmpeg-1/stage.ts';
import prober from '../../services/stage-ffmpeg-0/stage.ts';
import { mediaFolder } from '../support/media.ts';
import { runStageLocally, upload, type LocalObject, type Output, type Ran } from '../support/stage-harness.ts';

let made = 0;

/** Writes the cut list of a source. @param bounds Start and end of each clip, in seconds. */
export function segments(bounds: readonly (readonly [number, number])[], duration: number): LocalObject {
  const quiet = { rms: 0, zero_crossing_rate: 0, spectral_centroid: 0, spectral_rolloff: 0 };
  const features = { ...quiet, mfcc_mean: Array<number>(13).fill(0), mfcc_std: Array<number>(13).fill(0) };
  const clips = bounds.map(([start, end]) => ({ start, end, features }));
  const path = join(mediaFolder(), `segments-${++made}.json`);
  writeFileSync(path, JSON.stringify({ segmentation: 'fave', top_db: null, duration, clips }));
  return { kind: kinds.segments, path };
}

/** Runs a source through the stages that probe and cut it. */
export async function cutClips(
  source: string,
  bounds: readonly (readonly [number, number])[],
): Promise<Ran & { media: Output; audio: Output }> {
  const probed = await runStageLocally(prober, upload(source));
  const [media, audio] = [probed.of(kinds.media)[0]!, probed.of(kinds.audio)[0]!];
  const { duration } = await probed.json<{ duration: number }>(kinds.media);
  const ran = await runStageLocally(cutter, segments(bounds, duration), { siblings: [upload(source), media] });
  return { ...ran, media, audio };
}
