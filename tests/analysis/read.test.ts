import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { readCells } from '../../analysis/data/read.ts';
import { groupCells } from '../../analysis/data/study.ts';
import { createSyntheticCells, writeCells } from './synthetic.ts';
import { createTempDir } from '../support/temp-dir.ts';

let directory: string;
beforeEach(() => {
  directory = createTempDir();
});

const plan = { regimes: { cold: {} }, loads: { steady: 12 }, repeats: 2, requests: 3 };
const first = (name: string): string => join(directory, 'cold', 'steady', '1', name);

it('reads the cells of a study, including those of Kubernetes', async () => {
  const runs = [...createSyntheticCells(plan), ...createSyntheticCells({ ...plan, platform: 'kubernetes' })];
  await writeCells(directory, runs);
  const read = await readCells(directory);
  expect(new Map(read.map((run) => [run.name, run]))).toEqual(new Map(runs.map((run) => [run.name, run])));
  expect(groupCells(read).platforms.map(({ platform }) => platform)).toEqual(['local', 'kubernetes']);
});

it.each([
  ['requests.jsonl', '{"request_id":"a"}', "line 2 is not a valid load record: it must have required property 'index'"],
  ['items.jsonl', 'PNG…', 'line 2 is not a valid item record: it is not JSON'],
  [
    'scale.jsonl',
    '{"time":"x","stage":"y","event":"exploded"}',
    'line 2 is not a valid scale event: event must be one of decision',
  ],
])('reports the invalid line of %s', async (name, line, expected) => {
  await writeCells(directory, createSyntheticCells(plan));
  const lines = (await readFile(first(name), 'utf8')).split('\n');
  lines.splice(1, 0, line);
  await writeFile(first(name), lines.join('\n'));
  await expect(readCells(directory)).rejects.toMatchObject({
    code: 'invalid-record',
    message: expect.stringContaining(`${first(name)}, ${expected}`),
  });
});

it('reports a missing file of a finished cell', async () => {
  await writeCells(directory, createSyntheticCells(plan));
  await rm(first('snapshots.jsonl'));
  await expect(readCells(directory)).rejects.toThrow(`cannot read ${first('snapshots.jsonl')} of a finished cell`);
});

it('rejects two records of the same cell', async () => {
  const [run] = createSyntheticCells(plan);
  await writeCells(join(directory, 'a'), [run!]);
  await writeCells(join(directory, 'b'), [run!]);
  await expect(readCells(directory)).rejects.toMatchObject({ code: 'duplicate-cell' });
});

it('rejects a directory without cells', async () => {
  await expect(readCells(directory)).rejects.toMatchObject({
    code: 'no-experiments',
    message: expect.stringContaining(directory),
  });
  await expect(readCells(join(directory, 'nowhere'))).rejects.toMatchObject({ code: 'no-experiments' });
});

it('excludes broken cells and saturation from comparisons', () => {
  const runs = createSyntheticCells({ ...plan, loads: { steady: 12, saturation: 1 } });
  const broken = { ...runs[0]!, cell: { ...runs[0]!.cell, status: 'broken' as const } };
  const study = groupCells([broken, ...runs.slice(1)]);
  expect(study.broken).toEqual([broken]);
  expect(study.saturation.map(({ load, runs: own }) => [load, own.length])).toEqual([['saturation', 2]]);
  expect(study.platforms[0]?.conditions.map(({ load, runs: own }) => [load, own.length])).toEqual([['steady', 1]]);
});
