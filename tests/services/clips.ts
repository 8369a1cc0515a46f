import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kinds } from '../../schemas/kinds.ts';
import cutter from '../../services/stage-ffmpeg-1/stage.ts';
import prober from '../../services/stage-ffmpeg-0/stage.ts';
import { mediaFolder } from '../support/media.ts';
import { runStageLocally, upload, type LocalObject, type Output, type Ran } from '../support/stage-harness.ts';

let made = 0;

/** Writes a batch of clips. @param bounds Start and end of each clip, in seconds. @param first Number of the first clip. */
export function writeBatch(bounds: readonly (readonly [number, number])[], first = 1): LocalObject {
  const path = join(mediaFolder(), `batch-${++made}.json`);
  writeFileSync(path, JSON.stringify({ first, clips: bounds.map(([start, end]) => ({ start, end })) }));
  return { kind: kinds.batch, path, indices: { batch: 1 } };
}

/** Runs a source through the stages that probe and cut it. */
export async function cutClips(
  source: string,
  bounds: readonly (readonly [number, number])[],
): Promise<Ran & { media: Output; audio: Output }> {
  const probed = await runStageLocally(prober, upload(source));
  const [media, audio] = [probed.of(kinds.media)[0]!, probed.of(kinds.audio)[0]!];
  const ran = await runStageLocally(cutter, writeBatch(bounds), { siblings: [upload(source), media] });
  return { ...ran, media, audio };
}
