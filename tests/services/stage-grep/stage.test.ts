import { expect, test } from 'vitest';
import type { Match, Transcript } from '../../../schemas/generated/types.ts';
import { kinds } from '../../../schemas/kinds.ts';
import stage from '../../../services/stage-grep/stage.ts';
import { RetryableError } from '../../../shared/core/errors.ts';
import { writeMedia } from '../../support/media.ts';
import { runStageLocally, type LocalObject, type Ran } from '../../support/stage-harness.ts';

const indices = { clip: 2 };
const words = [{ text: 'coffee', start: 6, end: 7 }];
const transcript: Transcript = {
  ...{ engine: 'none', model: null, language: 'en', start: 5, end: 10, text: 'coffee' },
  utterances: [{ start: 6, end: 7, text: 'coffee', words }],
};
const clip = (): LocalObject => ({
  kind: kinds.clip,
  path: writeMedia('clip.mp4', 'clip'),
  indices,
  attributes: { start: 5, end: 10 },
});

function search(query: string, siblings: readonly LocalObject[]): Promise<Ran> {
  const path = writeMedia('transcript.json', JSON.stringify(transcript));
  return runStageLocally(stage, { kind: kinds.transcript, path, indices }, { options: { query }, siblings });
}

test('copies a clip in which the words of the query are spoken', async () => {
  const ran = await search('Coffee', [clip()]);
  expect(ran.outputs.map(({ key }) => key)).toEqual(['stage-grep/clip_0002/clip.mp4', 'stage-grep/clip_0002/match.json']);
  expect(await ran.json<Match>(kinds.match)).toMatchObject({ start: 5, end: 10, words: [{ text: 'coffee', start: 6 }] });
});

test('retries if the clip is not cut yet', async () => {
  await expect(search('coffee', [])).rejects.toBeInstanceOf(RetryableError);
});

test('writes nothing for other words, and needs no clip for them', async () => {
  expect((await search('tea', [])).outputs).toEqual([]);
});
