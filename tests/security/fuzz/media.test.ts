import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import stage from '../../../services/stage-ffmpeg-0/stage.ts';
import { kinds } from '../../../schemas/kinds.ts';
import { codeOf, messageOf } from '../../../shared/core/errors.ts';
import { mediaFolder } from '../../support/media.ts';
import { runStageLocally, upload } from '../../support/stage-harness.ts';
import { figures } from './figures.ts';
import { mutate } from './mutate.ts';
import { createRandom } from './random.ts';
import { seeds } from './seeds.ts';
import { size } from './size.ts';

/** Timeout for an upload of a few seconds (ms). */
const BOUND = 60_000;

vi.setConfig({ testTimeout: BOUND + 30_000 });

/** Valid results of an upload. Any other code, such as `unexpected`, is a bug. */
const KNOWN = [
  'done',
  'empty-file',
  'not-media',
  'no-streams',
  'no-content',
  'too-long',
  'too-large',
  'too-many-frames',
  'too-many-streams',
  'tool-failed',
  'tool-limit',
];

describe(`damaged media (seed ${size.seed})`, () => {
  const sources = seeds();
  const found = figures();
  afterAll(() => {
    console.log(found.report(`media: ${size.media} mutants of ${sources.length} files, seed ${size.seed}`));
  });

  test.for(Array.from({ length: size.media }, (_, index) => index))(
    'processes or rejects mutant %i with a known code',
    async (index) => {
      const chance = createRandom(size.seed, index);
      const source = chance.pick(sources);
      const { bytes, how } = mutate(source.bytes, chance.pick(sources).bytes, chance);
      const path = join(mediaFolder(), `mutant-${source.name}`);
      writeFileSync(path, bytes);
      const name = `#${index}, ${source.name}: ${how}`;

      const begun = performance.now();
      const { outcome, message } = await examined(path);
      found.add(outcome, performance.now() - begun, name);
      expect(KNOWN, `${name}: ${message}`).toContain(outcome);
    },
  );
});

/** Runs stage-ffmpeg-0 on a file. @returns `done`, or the code and the message of the error. */
async function examined(path: string): Promise<{ outcome: string; message: string }> {
  try {
    const ran = await runStageLocally(stage, upload(path), {
      signal: AbortSignal.timeout(BOUND),
      settings: { 'max-duration': 600 },
    });
    expect(ran.of(kinds.audio)).toHaveLength(1);
    return { outcome: 'done', message: '' };
  } catch (error) {
    return { outcome: codeOf(error), message: messageOf(error) };
  }
}
