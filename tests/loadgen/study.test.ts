import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { arrivalTimes, meanRate } from '../../loadgen/arrivals/arrivals.ts';
import { createJsonlWriter, recordFiles, readJsonl } from '../../loadgen/record/record-files.ts';
import { findAnomalies } from '../../loadgen/study/cell/anomalies.ts';
import { toArrivals, toLoadArgs, loadNames, loads, defaultLoads } from '../../loadgen/study/plan/loads.ts';
import type { Platform, RunningSystem } from '../../loadgen/study/system/platform.ts';
import { computeBusyShare, readCpuTime } from '../../loadgen/study/system/proc.ts';
import { startSnapshots } from '../../loadgen/study/cell/snapshots.ts';
import { archiveLogs, measureStorage } from '../../loadgen/study/cell/storage.ts';
import { runStudy, type StudyOptions } from '../../loadgen/study/study.ts';
import type { ItemRecord, LoadRecord } from '../../schemas/generated/types.ts';
import { graph } from '../../services/pipeline.ts';
import { PermanentError } from '../../shared/core/errors.ts';
import { useSharedStack, uniqueId } from '../support/stack.ts';
import { generateMedia, h264, createPicture } from '../support/media.ts';
import { createTempDir } from '../support/temp-dir.ts';

describe('toArrivals', () => {
  it('stays below 60 % of the capacity, except for saturation', () => {
    for (const name of defaultLoads) expect(loads[name].share).toBeLessThan(0.6);
    expect(defaultLoads).not.toContain('saturation');
    expect(loads.saturation.share).toBeGreaterThan(1);
  });

  it.each(loadNames)('returns the rate of %s as its share of the capacity', (name) => {
    const arrivals = toArrivals(name, 0.123456, 600);
    expect(meanRate(arrivals) / 0.123456).toBeCloseTo(loads[name].share, 3);
    expect(toLoadArgs(arrivals).filter((arg) => arg.startsWith('--')).length * 2).toBe(toLoadArgs(arrivals).length);
    expect(arrivalTimes(arrivals, 1).length).toBeGreaterThan(0);
  });
});

describe('runStudy', () => {
  const failing: Platform = {
    name: 'local',
    start: () => Promise.reject(new PermanentError('not-ready', 'nats-server was not ready')),
    versions: () => Promise.resolve({ node: process.version }),
  };
  const study = (overrides: Partial<StudyOptions> = {}): StudyOptions & { readonly lines: string[] } => {
    const lines: string[] = [];
    return {
      platform: failing,
      regimes: ['cold', 'warm'],
      loads: ['steady', 'bursty'],
      repeats: [1, 2],
      duration: 30,
      wait: 5,
      video: generateMedia('study.mp4', ...createPicture({ seconds: 1 }), ...h264),
      seed: 5,
      capacity: 0.5,
      out: createTempDir(),
      signal: new AbortController().signal,
      progress: (line) => lines.push(line),
      lines,
      ...overrides,
    };
  };

  it('records cells with a failed system as broken, with the reason, and does not repeat them', async () => {
    const options = study();
    const cells = await runStudy(options);
    expect(cells).toHaveLength(8);
    for (const cell of cells) expect(cell).toMatchObject({ status: 'broken', reason: 'nats-server was not ready' });
    expect(cells[0]!.command).toMatch(
      /^npm run study -- --on local --regimes \w+ --loads \w+ --repeat \d --seed 5 .* --capacity 0.5 .* --out rerun$/,
    );
    options.lines.length = 0;
    expect(await runStudy(options)).toEqual(cells);
    expect(options.lines.every((line) => line.endsWith(': already recorded'))).toBe(true);
  });

  it('runs all regimes with equal seeds and each repeat with a different one', async () => {
    const cells = await runStudy(study({ loads: ['moderate'] }));
    const seeds = (regime: string): number[] => cells.filter((cell) => cell.regime === regime).map(({ seed }) => seed);
    expect(seeds('cold').sort()).toEqual([5_001, 5_002]);
    expect(seeds('warm').sort()).toEqual(seeds('cold').sort());
  });

  it('runs cells in an order drawn from the seed', async () => {
    const order = async (seed: number): Promise<string[]> =>
      (await runStudy(study({ seed }))).map(({ regime, load, repeat }) => `${regime}/${load}/${repeat}`);
    const first = await order(1);
    expect(await order(1)).toEqual(first);
    expect(await order(2)).not.toEqual(first);
    expect((await order(2)).sort()).toEqual(first.toSorted());
  });

  it('writes no cell.json for an interrupted cell', async () => {
    const stop = new AbortController();
    const interrupted: Platform = {
      ...failing,
      start: () => {
        stop.abort(new DOMException('interrupted', 'AbortError'));
        return Promise.reject(new Error('stopped while starting'));
      },
    };
    const options = study({ platform: interrupted, signal: stop.signal });
    await expect(runStudy(options)).rejects.toThrow('interrupted');
    expect((await readdir(options.out, { recursive: true })).filter((path) => path.endsWith(recordFiles.cell))).toEqual([]);
  });
});

describe('the record of a cell', () => {
  // A hook has a longer timeout than a test.
  beforeAll(useSharedStack);

  it('lists all anomalies', () => {
    const request = { request_id: 'a', status: 'completed', late_ms: 1 } as LoadRecord;
    const item = { request_id: 'a', stage: 's', item: 'i', deliveries: 1 } as ItemRecord;
    const anomalies = findAnomalies(
      [
        request,
        { ...request, late_ms: 51 },
        { ...request, status: 'unfinished' },
        { ...request, status: 'error', error: 'no' },
        { ...request, status: 'failed' },
        { ...request, errors: 2 },
      ],
      [item, { ...item, deliveries: 2 }],
      [
        { time: '', stage: 's', event: 'started' },
        { time: '', stage: 's', event: 'crashed', replica: 's-1' },
      ],
    );
    const expected = ['late', 'unfinished', 'upload-error', 'failed', 'failed', 'retried', 'crashed'];
    expect(anomalies.map(({ what }) => what)).toEqual(expected);
  });

  it('contains the storage and the logs of its requests', async () => {
    const { store } = await useSharedStack();
    const [mine, other] = [uniqueId(), uniqueId()];
    await store.put(`requests/${mine}/input/v.mp4`, '12345');
    await store.put(`requests/${mine}/metadata/logs/s-1.jsonl`, '{"n":1}\n');
    await store.put(`requests/${mine}/metadata/logs/s-2.jsonl`, '{"n":2}\n');
    await store.put(`requests/${other}/metadata/logs/s-1.jsonl`, '{"n":3}\n');
    const { by_prefix } = await measureStorage(store, new Set([mine]));
    expect(by_prefix).toMatchObject({ input: 5, metadata: 16 });
    const path = join(createTempDir(), recordFiles.logs);
    await archiveLogs(store, [mine], path);
    expect(gunzipSync(await readFile(path)).toString()).toBe('{"n":1}\n{"n":2}\n');
  });

  it('contains snapshots of all services', async () => {
    const { store, bus } = await useSharedStack();
    const path = join(createTempDir(), recordFiles.snapshots);
    const lines = await createJsonlWriter(path);
    const system = {
      replicas: () => Promise.resolve({ relay: { replicas: 1, ready: 1, rss_mb: 50 } }),
    } as unknown as RunningSystem;
    const { promise: first, resolve } = Promise.withResolvers<undefined>();
    const append = (line: object): void => {
      lines.append(line);
      resolve(undefined);
    };
    const stop = startSnapshots({ system, store, bus }, { ...lines, append });
    await first;
    await stop();
    await lines.close();
    const [snapshot] = await readJsonl('snapshot', path);
    expect(Object.keys(snapshot!.stages).sort()).toEqual(['relay', 'tracker', ...graph.stages.map(({ name }) => name)].sort());
    expect(snapshot!.stages['relay']).toMatchObject({ replicas: 1, ready: 1, rss_mb: 50 });
    expect(snapshot!.store_objects).toBeGreaterThanOrEqual(0);
  });

  it('contains the busy share of the machine', () => {
    expect(computeBusyShare({ busy: 10, all: 100 }, { busy: 40, all: 200 })).toBe(0.3);
    expect(computeBusyShare({ busy: 10, all: 100 }, { busy: 10, all: 100 })).toBe(0);
    const before = readCpuTime(process.pid);
    for (const end = Date.now() + 10_000; readCpuTime(process.pid) < before + 50 && Date.now() < end;) Math.sqrt(Date.now());
    expect(readCpuTime(process.pid)).toBeGreaterThanOrEqual(before + 50);
  });
});
