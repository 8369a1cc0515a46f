import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Receipt } from '../../../schemas/generated/types.ts';
import { WAIT } from '../../support/harness/runtime.ts';
import { uniqueId } from '../../support/stack.ts';
import { vary } from './graph.ts';
import { startPipeline, type Pipeline, type PipelineRequest } from './pipeline.ts';

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline();
});

/** Returns a text that no other test uses, so that the memo has no entry for it. */
let text: string;
let shouted: number;
beforeEach(() => {
  text = `${uniqueId()}\n${uniqueId()}`;
  shouted = 0;
  vary.before = () => void (shouted += 1);
});

const clips = (outcome: string) => ({ clip_0001: outcome, clip_0002: outcome });

/** Returns a completed request whose results are in the memo. */
async function first(options: Record<string, string> = {}): Promise<PipelineRequest> {
  const request = pipeline.request();
  await request.put(text, options);
  expect(await request.end(1)).toMatchObject({ status: 'completed' });
  // Five items, five memo entries.
  if (options['memo'] !== 'false') await vi.waitUntil(async () => (await request.memoKeys()).length === 5, WAIT);
  return request;
}

/** Submits another request with the same text. */
async function second(options: Record<string, string> = {}): Promise<PipelineRequest> {
  const request = pipeline.request();
  await request.put(text, options);
  expect(await request.end(1)).toMatchObject({ status: 'completed', errors: [] });
  return request;
}

const outcomes = (request: PipelineRequest) =>
  Promise.all(['split-lines', 'uppercase', 'echo'].map((stage) => request.outcomes(stage, 1)));

async function receiptOf(request: PipelineRequest, stage: string, item: string): Promise<Receipt> {
  return JSON.parse(
    (await pipeline.stack.store.getText(`requests/${request.id}/metadata/items/${stage}/${item}.json`))!.text,
  ) as Receipt;
}

describe('the memo', () => {
  it('copies results of another request, with the same objects', async () => {
    const [one, two] = [await first(), await second()];
    expect(await outcomes(two)).toEqual([{ input: 'reused' }, clips('reused'), clips('reused')]);
    expect(await two.artifacts()).toEqual(await one.artifacts());
    expect(shouted).toBe(2);
    expect(await receiptOf(two, 'uppercase', 'clip_0001')).toMatchObject({
      outcome: 'done',
      reused: one.id,
      models: { voice: '1.0' },
      tools: [{ command: 'wc' }],
    });
    expect(await two.end(1)).toMatchObject({ stages: { uppercase: { reused: 2, done: 0 } } });
    expect((await pipeline.fave('provenance', two.id, 'uppercase/clip_0001/upper-line.txt')).stdout).toContain(one.id);
  });

  it('copies results for an input with another file name', async () => {
    await first();
    const request = pipeline.request();
    await pipeline.stack.store.put(`requests/${request.id}/input/other name.mov`, text);
    expect(await request.end(1)).toMatchObject({ status: 'completed', input: 'other name.mov' });
    expect(await outcomes(request)).toEqual([{ input: 'reused' }, clips('reused'), clips('reused')]);
    expect(shouted).toBe(2);
  });

  it('runs a stage with a changed option and later stages again', async () => {
    await first();
    const two = await second({ suffix: '?' });
    expect(await outcomes(two)).toEqual([{ input: 'reused' }, clips('done'), clips('done')]);
    const [word] = text.split('\n');
    expect((await pipeline.stack.store.getText(`requests/${two.id}/uppercase/clip_0001/upper-line.txt`))?.text).toBe(
      `${word!.toUpperCase()}?`,
    );
  });

  it('is not used for a request with memo=false', async () => {
    const one = await first();
    const two = await second({ memo: 'false' });
    expect(await outcomes(two)).toEqual([{ input: 'done' }, clips('done'), clips('done')]);
    expect(await two.artifacts()).toEqual(await one.artifacts());
  });

  it('has no entries of a request with memo=false', async () => {
    const one = await first({ memo: 'false' });
    expect(await one.memoKeys()).toEqual([]);
  });

  it.each([
    [
      'its notes are gone',
      async (keys: string[]) => void (await Promise.all(keys.map((key) => pipeline.stack.store.remove(key)))),
    ],
    [
      'its notes are torn',
      async (keys: string[]) =>
        void (await Promise.all(keys.map((key) => pipeline.stack.store.put(key, '{"request_id":"x","rec')))),
    ],
    [
      'its notes are of another shape',
      async (keys: string[]) => void (await Promise.all(keys.map((key) => pipeline.stack.store.put(key, '{}')))),
    ],
  ])('runs the item again if %s', async (_, spoil) => {
    const one = await first();
    await spoil(await one.memoKeys());
    const two = await second();
    expect(await outcomes(two)).toEqual([{ input: 'done' }, clips('done'), clips('done')]);
    expect(await two.artifacts()).toEqual(await one.artifacts());
  });

  it('runs the item again if the output was removed or replaced', async () => {
    const one = await first();
    const expected = await one.artifacts();
    await pipeline.stack.store.remove(`requests/${one.id}/uppercase/clip_0001/upper-line.txt`);
    await pipeline.stack.store.put(`requests/${one.id}/echo/clip_0002/echo.txt`, 'spoilt');
    const two = await second();
    expect(await outcomes(two)).toEqual([
      { input: 'reused' },
      { clip_0001: 'done', clip_0002: 'reused' },
      { clip_0001: 'reused', clip_0002: 'done' },
    ]);
    expect(await two.artifacts()).toEqual(expected);
  });
});
