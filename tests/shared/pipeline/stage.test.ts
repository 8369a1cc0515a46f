import { expect, it } from 'vitest';
import { kinds } from '../../../schemas/kinds.ts';
import { graph } from '../../../services/pipeline.ts';
import { defineStage, loadStage, type Item, type StageContext } from '../../../shared/pipeline/stage.ts';

const declaration = {
  name: 'stage-x',
  version: 1,
  consumes: kinds.transcript,
  produces: [],
  options: { query: { type: 'string', default: '', description: 'words' } },
} as const;

it('returns the declaration together with the loaded code', async () => {
  const code = { run: (_: Item, { options }: StageContext<{ query: string }>) => Promise.resolve(void options.query) };
  const stage = defineStage({ ...declaration, load: () => Promise.resolve(code) });
  expect(await loadStage(stage)).toMatchObject({ name: 'stage-x', run: code.run });
});

it('rejects code at compile time that expects other options than the stage declares', () => {
  const code = { run: (_: Item, { options }: StageContext<{ limit: number }>) => Promise.resolve(void options.limit) };
  // @ts-expect-error -- the stage declares no option `limit`
  defineStage({ ...declaration, load: () => Promise.resolve(code) });
});

it('keeps the code of every stage of the pipeline out of processes that only need its declaration', () => {
  for (const stage of graph.stages) expect(stage, stage.name).toHaveProperty('load');
});
