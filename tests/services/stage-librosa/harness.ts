import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { Batch, Segments } from '../../../schemas/generated/types.ts';
import { kinds } from '../../../schemas/kinds.ts';
import { analyse, type Analysis } from '../../../services/stage-librosa/analyse.ts';
import stage from '../../../services/stage-librosa/stage.ts';
import { writeMedia } from '../../support/media.ts';
import { runStageLocally, type RunOptions } from '../../support/stage-harness.ts';
import { wavFile } from '../../support/wav.ts';

/** Runs the stage on a local file, checks that its batches contain the clips, and returns `segments.json`. */
export async function runStage(
  path: string,
  segmentation: Segments['segmentation'] = 'silence',
  options: Pick<RunOptions, 'signal' | 'settings'> = {},
): Promise<Segments> {
  const ran = await runStageLocally(stage, { kind: kinds.audio, path }, { options: { segmentation }, ...options });
  const segments = await ran.json<Segments>(kinds.segments);
  const batches = ran.of(kinds.batch).map((output) => JSON.parse(readFileSync(output.path, 'utf8')) as Batch);
  expect(batches.flatMap(({ clips }) => clips)).toEqual(segments.clips.map(({ start, end }) => ({ start, end })));
  expect(batches.map(({ first }) => first)).toEqual(batches.map((_, n) => 1 + 32 * n));
  expect(ran.of(kinds.batch).map(({ indices }) => indices)).toEqual(batches.map((_, n) => ({ batch: n + 1 })));
  return segments;
}

/** Writes samples to a WAV file and returns its path. */
export function writeSamples(samples: Int16Array): string {
  return writeMedia('audio.wav', wavFile(samples));
}

/** Analyses samples. */
export function analyseSamples(samples: Int16Array): Promise<Analysis> {
  return analyse(writeSamples(samples), new AbortController().signal);
}
