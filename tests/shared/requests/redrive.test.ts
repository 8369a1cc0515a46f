import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { subjects } from '../../../shared/bus/topology.ts';
import { validate } from '../../../shared/core/validate.ts';
import { start, WAIT } from '../../support/harness/runtime.ts';
import { graph, needing, vary } from './graph.ts';
import { startPipeline, type Pipeline, type PipelineRequest } from './pipeline.ts';
import { createTempDir } from '../../support/temp-dir.ts';
import { failure } from '../../support/harness/run-cli.ts';

vi.mock('../../../services/pipeline.ts', async () => ({ graph: (await import('./graph.ts')).graph }));

let pipeline: Pipeline;
const dir = createTempDir();
let flag: string;
beforeAll(async () => {
  pipeline = await startPipeline();
});
afterAll(() => {
  vary.before = undefined;
});
beforeEach(async () => {
  flag = join(dir, 'flag');
  await rm(flag, { force: true });
  vary.before = needing(flag);
});

const withoutMemo = { memo: 'false' };

/** Returns a request whose line `bad` has failed. */
async function failed(text = 'good\nbad'): Promise<PipelineRequest> {
  const request = pipeline.request();
  await request.put(text, withoutMemo);
  await vi.waitUntil(async () => (await deadLettersOf(request)).length === 1, WAIT);
  return request;
}

async function deadLettersOf(request: PipelineRequest): Promise<Record<string, unknown>[]> {
  const { stdout } = await pipeline.fave('dlq', 'ls', '--id', request.id, '--json');
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Creates a promise that the test resolves, at the latest at its end, so that no stage waits for it afterwards. */
function gate() {
  const created = Promise.withResolvers<undefined>();
  onTestFinished(() => {
    created.resolve(undefined);
  });
  return created;
}

describe('fave dlq', () => {
  it('lists and shows dead letters', async () => {
    const request = await failed();
    const [deadLetter] = await deadLettersOf(request);
    const { seq, ...rest } = deadLetter!;
    expect(validate('deadLetter', rest)).toMatchObject({
      stage: 'uppercase',
      item: 'clip_0002',
      code: 'unreadable-frame',
      deliveries: 1,
      landed: { run: 1, request_id: request.id },
    });
    const { stdout } = await pipeline.fave('dlq', 'ls', '--stage', 'uppercase', '--id', request.id);
    expect(stdout).toMatch(new RegExp(`${String(seq)} .*uppercase  clip_0002  unreadable-frame\n    request ${request.id}`));
    const shown = await pipeline.fave('dlq', 'show', String(seq));
    expect(shown.stdout).toMatch(/unreadable-frame\n {2}this line is bad[^]*split-lines\/clip_0002\/line.txt[^]*tool: no flag/);
    expect((await pipeline.fave('dlq', 'ls', '--stage', 'echo', '--id', request.id)).stderr).toContain('no dead letters');
  });

  it('redrives into a new run, which completes, when the request has ended', async () => {
    const request = await failed();
    expect(await request.end(1)).toMatchObject({ status: 'completed', errors: [{ code: 'unreadable-frame' }] });
    await writeFile(flag, '');
    expect(await pipeline.fave('dlq', 'redrive', '--id', request.id)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('run 2: 1 item redriven (uppercase clip_0002)'),
    });
    expect(await deadLettersOf(request)).toEqual([]);
    expect(await request.end(2)).toMatchObject({
      status: 'completed',
      errors: [],
      stages: { uppercase: { done: 1 }, echo: { done: 1 } },
    });
    expect([await request.endsOf(1), await request.endsOf(2)]).toEqual([1, 1]);
    expect(Object.keys(await request.artifacts())).toContain('echo/clip_0002/echo.txt');
  });

  it('ignores a dead letter about another stage, request or item than its subject', async () => {
    const request = await failed();
    const [{ seq: _, ...deadLetter } = {}] = await deadLettersOf(request);
    const { landed, ...rest } = deadLetter as { landed: object };
    const other = pipeline.request();
    for (const [id, forged] of [
      [request.id, { ...rest, landed, stage: 'echo' }],
      [request.id, { ...rest, landed, item: 'clip_0009' }],
      [request.id, { ...rest, landed: { ...landed, kind: 'input' } }],
      [request.id, { ...rest, landed: { ...landed, key: `requests/${other.id}/split-lines/clip_0002/line.txt` } }],
      [other.id, { ...rest, landed }],
    ] as const)
      await pipeline.stack.bus.publish(subjects.deadLetter('uppercase', id), forged, {});
    expect(await deadLettersOf(request)).toHaveLength(1);
    expect(await deadLettersOf(other)).toEqual([]);
  });

  it('redrives an item once when its failure was reported twice', async () => {
    const request = await failed();
    await request.end(1);
    const { seq: _, ...deadLetter } = (await deadLettersOf(request))[0]!;
    await pipeline.stack.bus.publish(subjects.deadLetter('uppercase', request.id), deadLetter, {});
    expect(await deadLettersOf(request)).toHaveLength(2);
    await writeFile(flag, '');
    expect(await pipeline.fave('dlq', 'redrive', '--id', request.id)).toMatchObject({ code: 0 });
    expect(await deadLettersOf(request)).toEqual([]);
    expect(await request.end(2)).toMatchObject({ status: 'completed', errors: [], stages: { uppercase: { done: 1 } } });
    expect((await request.progress('uppercase')).filter(({ run }) => run === 2)).toHaveLength(1);
  });

  it('redrives into the open run, which completes without errors', async () => {
    const { promise, resolve } = gate();
    const fails = needing(flag);
    // One of two lines waits, so that the run stays open.
    vary.before = (text, ...rest) => (text === 'wait' ? promise : fails(text, ...rest));
    const second = await start(pipeline.stack, graph, 'uppercase');
    const request = await failed('wait\nbad');
    await writeFile(flag, '');
    expect((await pipeline.fave('dlq', 'redrive', '--id', request.id)).stdout).toContain('run 1: 1 item');
    await vi.waitUntil(async () => (await request.outcomes('echo', 1))['clip_0002'] === 'done', WAIT);
    resolve(undefined);
    expect(await request.end(1)).toMatchObject({
      status: 'completed',
      errors: [],
      stages: { uppercase: { done: 2, failed: 0 } },
    });
    expect(await deadLettersOf(request)).toEqual([]);
    await second.stop();
  });

  it('keeps the run open until the redriven item is settled again', async () => {
    const gates = { wait: gate(), bad: gate() };
    const fails = needing(flag);
    vary.before = async (text, ...rest) => {
      await fails(text, ...rest);
      if (text === 'wait' || text === 'bad') await gates[text].promise;
    };
    const second = await start(pipeline.stack, graph, 'uppercase');
    const request = await failed('wait\nbad');
    await writeFile(flag, '');
    expect((await pipeline.fave('dlq', 'redrive', '--id', request.id)).stdout).toContain('run 1: 1 item');
    gates.wait.resolve(undefined);
    await vi.waitUntil(async () => (await request.outcomes('echo', 1))['clip_0001'] === 'done', WAIT);
    // The tracker handles events in order.
    const later = pipeline.request();
    await later.put('later', withoutMemo);
    expect(await later.end(1)).toMatchObject({ status: 'completed' });
    expect(await request.endsOf(1)).toBe(0);
    // The tracker writes the file twice per second.
    const errors = (): Promise<unknown> =>
      request.state().then(
        (state) => state.errors,
        () => undefined,
      );
    await expect.poll(errors, WAIT).toEqual([]);
    gates.bad.resolve(undefined);
    expect(await request.end(1)).toMatchObject({
      status: 'completed',
      errors: [],
      stages: { uppercase: { done: 2, failed: 0 }, echo: { done: 2 } },
    });
    await second.stop();
  });

  it('records a new dead letter when the redriven item fails again', async () => {
    const request = await failed('bad');
    expect(await request.end(1)).toMatchObject({ status: 'failed' });
    await pipeline.fave('dlq', 'redrive', '--id', request.id);
    expect(await request.end(2)).toMatchObject({ status: 'failed', errors: [{ code: 'unreadable-frame' }] });
    expect(await deadLettersOf(request)).toMatchObject([{ landed: { run: 2 } }]);
  });

  it('rejects an item whose object was replaced or removed', async () => {
    const request = await failed();
    await request.end(1);
    const { seq } = (await deadLettersOf(request))[0]!;
    await pipeline.stack.store.remove(`requests/${request.id}/split-lines/clip_0002/line.txt`);
    expect(await pipeline.fave('dlq', 'redrive', String(seq))).toMatchObject(failure('was removed'));
    expect(await deadLettersOf(request)).toHaveLength(1);
    expect(await pipeline.fave('dlq', 'drop', String(seq))).toMatchObject({ code: 0, stdout: '1 dead letter removed\n' });
    expect(await deadLettersOf(request)).toEqual([]);
    expect(await pipeline.fave('dlq', 'drop', String(seq))).toMatchObject(failure(`no dead letter ${String(seq)}`));
  });

  it.each([['dlq redrive'], ['dlq drop'], ['dlq drop x'], ['dlq ls --stage sing'], ['dlq ls --id a/b'], ['dlq']])(
    'rejects the call: fave %s',
    async (line) => {
      expect(await pipeline.fave(...line.split(' '))).toMatchObject({ code: 2, stderr: expect.stringMatching(/\w/) });
    },
  );
});
