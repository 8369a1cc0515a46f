import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { streams } from '../../../shared/bus/topology.ts';
import { consumersOf, fetchConsumerLag } from '../../../shared/bus/consumers.ts';
import { start, WAIT } from '../../support/harness/runtime.ts';
import { graph, vary } from './graph.ts';
import { startPipeline, type Pipeline, type PipelineRequest } from './pipeline.ts';

vi.mock('../../../services/pipeline.ts', async () => ({ graph: (await import('./graph.ts')).graph }));

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline(['relay', 'split-lines', 'uppercase', 'echo']);
  await start(pipeline.stack, graph, 'tracker', { sweepIntervalSeconds: 0.5 });
});
beforeEach(() => {
  vary.before = undefined;
});

const alone = { memo: 'false' };

async function listKeys({ id }: PipelineRequest): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of pipeline.stack.store.list(`requests/${id}/`)) keys.push(key);
  return keys;
}

/** Removes all objects of a request, as `mc rm --recursive` does. */
async function remove(request: PipelineRequest): Promise<void> {
  for (const key of await listKeys(request)) await pipeline.stack.store.remove(key);
}

/** Lets the items of `uppercase` run until they are aborted. Returns a promise of the first item. */
function block(): Promise<void> {
  return new Promise((started) => {
    vary.before = (_, __, { signal }) =>
      new Promise((_resolve, reject) => {
        started();
        signal.addEventListener('abort', () => {
          reject(signal.reason as Error);
        });
      });
  });
}

describe('a request whose predecessor with the same id was removed', () => {
  it('is processed in the next run, with the same file or another one', async () => {
    const request = pipeline.request();
    await request.put('one\ntwo', alone);
    expect(await request.end(1)).toMatchObject({ status: 'completed' });
    await remove(request);
    await request.put('one\ntwo', alone);
    expect(await request.end(2)).toMatchObject({ run: 2, status: 'completed', outputs: { echoed: 2 } });
    expect(await request.state()).toMatchObject({ run: 2, status: 'completed' });
    expect((await listKeys(request)).filter((key) => key.startsWith(`requests/${request.id}/echo/`))).toHaveLength(2);
    await remove(request);
    await request.put('three', alone);
    expect(await request.end(3)).toMatchObject({ run: 3, status: 'completed', outputs: { echoed: 1 } });
    expect(await request.lifecycle('rejected')).toEqual([]);
    expect([await request.endsOf(1), await request.endsOf(2), await request.endsOf(3)]).toEqual([1, 1, 1]);
  });

  it('is processed although the run of its predecessor is open, which ends as cancelled', async () => {
    const request = pipeline.request();
    const blocked = block();
    await request.put('one', alone);
    await blocked;
    vary.before = undefined;
    await remove(request);
    await request.put('two', alone);
    expect(await request.end(2)).toMatchObject({ status: 'completed', outputs: { echoed: 1 } });
    expect(await request.end(1)).toMatchObject({
      status: 'cancelled',
      errors: [{ message: expect.stringContaining('removed') as string }],
    });
    expect(await request.endsOf(1)).toBe(1);
    expect(await request.state()).toMatchObject({ run: 2, status: 'completed' });
  });
});

describe('a request that is removed while it runs', () => {
  it('ends as cancelled, and nothing of it comes back', async () => {
    const request = pipeline.request();
    const blocked = block();
    await request.put('one\ntwo\nthree', alone);
    await blocked;
    await vi.waitUntil(async () => (await request.outcomes('split-lines', 1))['input'] === 'done', WAIT);
    await remove(request);
    expect(await request.end(1)).toMatchObject({ status: 'cancelled' });
    vary.before = undefined;
    // All its items are dropped.
    const consumers = consumersOf(graph).filter(({ stream }) => stream === streams.landed);
    const isIdle = async (): Promise<boolean> =>
      (await Promise.all(consumers.map(({ stream, name }) => fetchConsumerLag(pipeline.stack.bus, stream, name)))).every(
        (lag) => lag === 0,
      );
    await vi.waitUntil(isIdle, WAIT);
    for (const name of ['split-lines', 'uppercase', 'echo']) await pipeline.running[name]?.stop();
    expect(await listKeys(request)).toEqual([]);
    expect(await request.deadLetters('uppercase')).toEqual([]);
  });
});
