import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, it, vi } from 'vitest';
import { analyse } from '../../analysis/analyse.ts';
import { createSyntheticCells, writeCells } from './synthetic.ts';
import { createTempDir } from '../support/temp-dir.ts';

vi.setConfig({ testTimeout: 240_000 });
let directory: string;
const experiments = (): string => join(directory, 'experiments');
const out = (name: string): string => join(directory, name);

beforeAll(async () => {
  directory = createTempDir();
  const loads = { steady: 12 };
  const regimes = { cold: { coldShare: 0.5, coldMs: 900 }, warm: { replicas: 2 } };
  const local = createSyntheticCells({ regimes, loads: { ...loads, saturation: 3 }, repeats: 2, requests: 10 });
  const slower = { cold: { coldShare: 0.5, coldMs: 4_000 } };
  const kubernetes = createSyntheticCells({ regimes: slower, loads, repeats: 2, requests: 10, platform: 'kubernetes', seed: 9 });
  const [last] = local.slice(-1);
  const broken = { ...last!, cell: { ...last!.cell, repeat: 9, status: 'broken' as const, reason: 'NATS did not start' } };
  await writeCells(experiments(), [...local, broken, ...kubernetes]);
});

it('writes equal bytes for equal records, and different ones after a line is removed', async () => {
  const files = await analyse(experiments(), out('one'));
  expect(await analyse(experiments(), out('two'))).toEqual(files);
  const read = (name: string, file: string): Promise<Buffer> => readFile(join(out(name), file));
  for (const file of files) expect((await read('one', file)).equals(await read('two', file)), file).toBe(true);

  const report = (await read('one', 'report.md')).toString();
  expect(report).toContain('NATS did not start');
  expect(report).toContain('## Saturation');
  expect(report).toContain('comparison with AWS Lambda was declined');
  expect(report).toContain('62.0 s, 4 of 5 succeeded');
  expect(report).toMatch(
    /cold under steady: a cold start under KEDA is longer by 3\.10 \[3\.10, 3\.10\] s; the largest part of the difference is “decision” \(1\.24 s/,
  );
  expect(report).not.toContain(directory);
  for (const file of report.matchAll(/\((figures|tables)\/[^)]+\)/g)) expect(files).toContain(file[0].slice(1, -1));
  const page = (await read('one', 'report.html')).toString();
  expect(page.match(/<figure /g)).toHaveLength(files.filter((file) => file.endsWith('.svg')).length);
  expect(page).not.toMatch(/(src|href)="(?!#)/);

  const requests = join(experiments(), 'cold', 'steady', '1', 'requests.jsonl');
  await writeFile(requests, (await readFile(requests, 'utf8')).split('\n').slice(1).join('\n'));
  await analyse(experiments(), out('three'));
  expect((await read('three', 'tables/latency-local.csv')).equals(await read('one', 'tables/latency-local.csv'))).toBe(false);
  expect((await read('three', 'report.md')).toString()).toContain(
    'local/cold/steady/1: the record contains 9 requests, but 10 were planned',
  );
});
