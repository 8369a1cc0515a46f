import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { reasonToRun } from '../../../shared/requests/replay-plan.ts';
import type { Receipt } from '../../../schemas/generated/types.ts';
import { WAIT } from '../../support/wait.ts';
import { graph, vary } from './graph.ts';
import { startPipeline, type Pipeline, type PipelineRequest } from './pipeline.ts';
import { failure } from '../../support/harness/run-cli.ts';

vi.mock('../../../services/pipeline.ts', async () => ({ graph: (await import('./graph.ts')).graph }));

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline();
});
beforeEach(() => {
  vary.uppercaseVersion = 1;
  vary.before = undefined;
});

/** Returns a completed request of two lines. */
async function completed(): Promise<PipelineRequest> {
  const request = pipeline.request();
  await request.put('one\ntwo', { memo: 'false' });
  expect(await request.end(1)).toMatchObject({ status: 'completed' });
  return request;
}

const clips = (outcome: string) => ({ clip_0001: outcome, clip_0002: outcome });

/** Runs `fave replay … --wait` and checks that the new run ended once and that the state file agrees. */
async function replayed(request: PipelineRequest, run: number, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await pipeline.fave('replay', request.id, '--wait', ...args);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const end = await request.end(run);
  expect(end).toMatchObject({ status: 'completed', run, errors: [] });
  expect(await request.endsOf(run)).toBe(1);
  expect(await request.state()).toEqual(end);
  return stdout;
}

async function outcomes(request: PipelineRequest, run: number): Promise<unknown[]> {
  return Promise.all(graph.stages.map(({ name }) => request.outcomes(name, run)));
}

describe('fave replay', () => {
  it('skips valid items', async () => {
    const request = await completed();
    const before = await request.artifacts();
    expect(await replayed(request, 2)).toContain('run 2 starts with 1 input');
    expect(await outcomes(request, 2)).toEqual([{ input: 'skipped' }, clips('skipped'), clips('skipped')]);
    expect(await request.artifacts()).toEqual(before);
    expect(await request.lifecycle('accepted')).toMatchObject([
      { run: 1 },
      { run: 2, announced: [{ kind: 'input', item: 'input' }] },
    ]);
    await replayed(request, 3);
  });

  it('starts with the objects that the stage of --from consumes', async () => {
    const request = await completed();
    await replayed(request, 2, '--from', 'uppercase');
    expect(await outcomes(request, 2)).toEqual([{}, clips('skipped'), clips('skipped')]);
  });

  it('runs the stage and all later stages with --force', async () => {
    const request = await completed();
    await replayed(request, 2, '--from', 'uppercase', '--force');
    expect(await outcomes(request, 2)).toEqual([{}, clips('done'), clips('done')]);
    await replayed(request, 3, '--force');
    expect(await outcomes(request, 3)).toEqual([{ input: 'done' }, clips('done'), clips('done')]);
  });

  it('runs one stage with --only, and later items whose source changed', async () => {
    const request = await completed();
    await replayed(request, 2, '--only', 'uppercase');
    expect(await outcomes(request, 2)).toEqual([{}, clips('done'), clips('skipped')]);
  });

  it('runs items of another stage version, with missing outputs or without a receipt', async () => {
    const request = await completed();
    await pipeline.stack.store.remove(`requests/${request.id}/echo/clip_0002/echo.txt`);
    await replayed(request, 2);
    expect(await outcomes(request, 2)).toEqual([
      { input: 'skipped' },
      clips('skipped'),
      { clip_0001: 'skipped', clip_0002: 'done' },
    ]);
    vary.uppercaseVersion = 2;
    await replayed(request, 3);
    expect(await outcomes(request, 3)).toEqual([{ input: 'skipped' }, clips('done'), clips('skipped')]);
    expect(Object.keys(await request.artifacts())).toContain('echo/clip_0002/echo.txt');
  });

  it('prints the plan with reasons and publishes nothing with --dry-run', async () => {
    const request = await completed();
    const plan = async (...args: string[]): Promise<string[]> => {
      const { code, stdout } = await pipeline.fave('replay', request.id, '--dry-run', ...args);
      expect(code).toBe(0);
      return stdout
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => line.trim().replace(/\s+/g, ' '));
    };
    const receipt = `requests/${request.id}/metadata/items/echo/clip_0001.json`;
    await pipeline.stack.store.remove(receipt);
    expect(await plan()).toEqual([
      'split-lines 1 skip done',
      'uppercase 2 skip done',
      'echo 1 run no receipt',
      'echo 1 skip done',
    ]);
    vary.uppercaseVersion = 2;
    expect(await plan('--from', 'uppercase')).toEqual([
      'uppercase 2 run stage version 1 → 2',
      'echo 1 run no receipt',
      'echo 1 undecided uppercase produces its source again',
    ]);
    expect(await plan('--force')).toEqual(['split-lines 1 run forced', 'uppercase 2 run forced', 'echo 2 run forced']);
    expect(await plan('--only', 'uppercase')).toEqual([
      'uppercase 2 run forced',
      'echo 1 run no receipt',
      'echo 1 undecided uppercase produces its source again',
    ]);
    expect(await request.lifecycle('accepted')).toHaveLength(1);
  });

  it('rejects running and unknown requests and invalid scopes', async () => {
    const request = pipeline.request();
    const opened = Promise.withResolvers<undefined>();
    vary.before = () => opened.promise;
    await request.put('one', { memo: 'false' });
    await vi.waitUntil(async () => (await request.lifecycle('accepted')).length === 1, WAIT);
    expect(await pipeline.fave('replay', request.id)).toMatchObject(failure('still running'));
    opened.resolve(undefined);
    await request.end(1);
    expect(await pipeline.fave('replay', request.id, '--from', 'sing')).toMatchObject(failure('split-lines, uppercase, echo', 2));
    expect(await pipeline.fave('replay', request.id, '--from', 'split-lines', '--only', 'split-lines')).toMatchObject({
      code: 2,
    });
    expect(await pipeline.fave('replay', 'nobody')).toMatchObject(failure('there is no request nobody'));
  });
});

describe('reasonToRun', () => {
  const receipt: Receipt = {
    stage: 'uppercase',
    version: 1,
    item: 'clip_0001',
    source: { kind: 'line', key: 'split-lines/clip_0001/line.txt', etag: 'a' },
    config: { suffix: '!' },
    config_hash: '',
    outcome: 'done',
    outputs: [
      {
        kind: 'upper-line',
        item: 'clip_0001',
        key: 'upper-line.txt',
        etag: 'b',
        sha256: '',
        size: 1,
        announced: true,
        attributes: {},
      },
    ],
    tools: [],
    models: {},
    host: '',
    started: '',
    duration_ms: 1,
  };
  const about = {
    source: { item: 'clip_0001', etag: 'a' },
    options: {},
    objects: new Map([['upper-line.txt', { etag: 'b', size: 1 }]]),
    forced: false,
  };
  const error = { code: 'unreadable-frame', message: '', file: '' };
  it.each([
    ['nowhere', undefined, {}, 'no receipt'],
    ['when all is as it was', receipt, {}, undefined],
    ['when its source is another', receipt, { source: { item: 'clip_0001', etag: 'c' } }, 'source changed'],
    [
      'when its source is to be made again, unless that changes',
      receipt,
      { source: { item: 'clip_0001', etag: 'c', after: 'split-lines' } },
      undefined,
    ],
    ['with other options', receipt, { options: { suffix: '?' } }, 'options changed: suffix'],
    ['of another version', { ...receipt, version: 3 }, {}, 'stage version 3 → 1'],
    ['that failed', { ...receipt, outcome: 'failed' as const, error }, {}, 'failed: unreadable-frame'],
    [
      'whose output is another',
      receipt,
      { objects: new Map([['upper-line.txt', { etag: 'x', size: 1 }]]) },
      'an output is missing or changed',
    ],
    ['that is forced', receipt, { forced: true }, 'forced'],
  ])('%s', (_, known, change, why) => {
    expect(reasonToRun(graph.stage('uppercase'), known, { ...about, ...change })?.why).toBe(why);
  });
});

describe('fave provenance', () => {
  it('follows an artifact back to the input', async () => {
    const request = await completed();
    const path = 'echo/clip_0002/echo.txt';
    const { code, stdout } = await pipeline.fave('provenance', request.id, path, '--json');
    expect(code).toBe(0);
    const steps = JSON.parse(stdout) as Record<string, unknown>[];
    expect(steps).toMatchObject([
      { key: `requests/${request.id}/${path}`, made_by: { stage: 'echo', source: { kind: 'upper-line' } } },
      {
        made_by: {
          stage: 'uppercase',
          version: 1,
          config: { suffix: '!' },
          models: { voice: '1.0' },
          tools: [{ command: 'wc', args: ['-c', './sources/line/2/line.txt'] }],
        },
      },
      { made_by: { stage: 'split-lines', item: 'input' } },
      { key: `requests/${request.id}/input/text.txt` },
    ]);
    expect(steps[3]).not.toHaveProperty('made_by');
    for (const uri of [`s3://${pipeline.stack.store.bucket}/requests/${request.id}/${path}`, `requests/${request.id}/${path}`])
      expect(JSON.parse((await pipeline.fave('provenance', uri, '--json')).stdout)).toEqual(steps);
    const text = (await pipeline.fave('provenance', request.id, path)).stdout.split('\n');
    expect(text.filter((line) => line.length > 80)).toEqual([]);
    expect(text.join('\n')).toMatch(/echo version 1[^]*← uppercase[^]*wc -c[^]*← split-lines[^]*← input\/text.txt/);
  });

  it('reports a replaced source', async () => {
    const request = await completed();
    await pipeline.stack.store.put(`requests/${request.id}/input/text.txt`, 'other');
    const { stdout } = await pipeline.fave('provenance', request.id, 'split-lines/clip_0001/line.txt');
    expect(stdout).toMatch(/replaced, etag/);
  });

  it.each([
    [['requests/nobody/uppercase/clip_0001/upper-line.txt'], 1, /does not exist in the bucket/],
    [['s3://other/requests/a/b'], 2, /not in bucket/],
    [['video.mp4'], 2, /not an artifact key/],
  ] as const)('reports %j in one line', async (args, code, sentence) => {
    expect(await pipeline.fave('provenance', ...args)).toMatchObject({ code, stderr: expect.stringMatching(sentence) });
  });

  it('reports an object without a receipt', async () => {
    const request = await completed();
    expect(await pipeline.fave('provenance', request.id, 'metadata/state.json')).toMatchObject(failure('has no receipt'));
  });
});
