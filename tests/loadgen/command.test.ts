import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { recordFiles, readJsonl } from '../../loadgen/record/record-files.ts';
import type { LoadSummary } from '../../loadgen/record/summary.ts';
import { fave, lastJson } from '../support/harness/run-cli.ts';
import { WAIT } from '../support/wait.ts';
import { createTempDir } from '../support/temp-dir.ts';

// Loads the pipeline in advance, which is slow on a loaded machine.
beforeAll(() => import('../../cli/commands/instance/load.ts'));

describe('fave load', () => {
  it('records each request and prints a summary', async () => {
    const out = join(createTempDir(), 'new');
    const args = ['--target', 'null', '--pattern', 'bursty', '--burst-size', '4', '--rate', '40', '--duration', '0.5'];
    const run = await fave(['load', ...args, '--regime', 'warm', '--out', out, '--json']);
    expect(run).toMatchObject({ code: 0 });
    const records = await readJsonl('loadRecord', join(out, recordFiles.requests));
    expect(records).toHaveLength(20);
    expect(new Set(records.map(({ intended }) => intended)).size).toBe(5);
    expect(lastJson(run)).toMatchObject({
      requests: 20,
      completed: 20,
      regime: 'warm',
      pattern: 'bursty',
      rate: 40,
      options: { memo: 'false' },
    });
    expect({ ...(JSON.parse(await readFile(join(out, recordFiles.load), 'utf8')) as object), out }).toEqual(lastJson(run));
  });

  it('sends equal arrivals for equal traces and seeds', async () => {
    const dir = createTempDir();
    await writeFile(join(dir, 'trace.csv'), 'time,rps\n0,200\n0.1,0\n0.2,200\n0.3,0\n');
    const arrivals = async (out: string): Promise<number[]> => {
      const args = ['--pattern', 'trace', '--trace', 'trace.csv', '--seed', '3'];
      expect((await fave(['load', '--target', 'null', ...args, '--out', out], { cwd: dir })).code).toBe(0);
      const times = (await readJsonl('loadRecord', join(dir, out, recordFiles.requests))).map(({ intended }) =>
        Date.parse(intended),
      );
      return times.map((time) => time - times[0]!);
    };
    const [first, second] = [await arrivals('a'), await arrivals('b')];
    expect(first.length).toBeGreaterThan(20);
    expect(second).toHaveLength(first.length);
    // The start times of the loads differ by a fraction of a millisecond.
    second.forEach((time, n) => expect(Math.abs(time - first[n]!)).toBeLessThanOrEqual(1));
  });

  it('stops on Ctrl-C and keeps the record', async () => {
    const out = createTempDir();
    const stop = new AbortController();
    const running = fave(['load', '--target', 'null', '--rate', '20', '--duration', '3600', '--out', out], {
      signal: stop.signal,
    });
    const recorded = async (): Promise<number> =>
      (await readFile(join(out, recordFiles.requests), 'utf8').catch(() => '')).split('\n').length - 1;
    await vi.waitUntil(async () => (await recorded()) >= 3, WAIT);
    stop.abort();
    expect(await running).toMatchObject({ code: 130 });
    expect(await recorded()).toBeGreaterThanOrEqual(3);
    const { requests } = JSON.parse(await readFile(join(out, recordFiles.load), 'utf8')) as LoadSummary;
    expect(requests).toBe(await recorded());
  });

  it('refuses to overwrite a record', async () => {
    const out = createTempDir();
    await writeFile(join(out, recordFiles.requests), '');
    const run = await fave(['load', '--target', 'null', '--out', out]);
    expect(run).toMatchObject({ code: 1 });
    expect(run.stderr).toMatch(/exists: choose another directory with --out/);
  });

  it.each([
    [['--rate', '0'], /--rate must be a number above 0/],
    [['--rate', '1', '--burst-period', '3', '--pattern', 'bursty'], /are exclusive/],
    [['--burst-size', '3'], /need --pattern bursty/],
    [['--closed', '--rate', '1'], /--closed has no rate/],
    [['--concurrency', '2'], /needs --closed/],
    [['--pattern', 'trace'], /need each other/],
    [['--pattern', 'trace', '--trace', 'none.csv'], /cannot read none.csv/],
    [['--option', 'colour=red', '--video', 'a'], /there is no option "colour"/],
    [[], /--video FILE/],
  ])('rejects %j', async (args, why) => {
    const run = await fave(['load', ...args]);
    expect(run).toMatchObject({ code: 2 });
    expect(run.stderr).toMatch(why);
  });
});
