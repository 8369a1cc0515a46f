import { NotificationConfig } from 'minio';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { setUp } from '../../../infra/setup/setup.ts';
import { setUpBucket } from '../../../infra/setup/bucket.ts';
import { findUnsettledObjects } from '../../../shared/requests/sweep.ts';
import type { LandedMessage } from '../../../schemas/generated/types.ts';
import { streams } from '../../../shared/bus/topology.ts';
import { createLogger } from '../../../shared/observability/log.ts';
import { createLaneConsumer } from '../../../shared/runtime/delivery/lane-consumer.ts';
import { start, readStoredMessages, WAIT, type Running } from '../../support/harness/runtime.ts';
import { graph } from './graph.ts';
import { startPipeline, type Pipeline } from './pipeline.ts';
import { failure } from '../../support/harness/run-cli.ts';

vi.mock('../../../services/pipeline.ts', async () => ({ graph: (await import('./graph.ts')).graph }));

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline(['tracker', 'split-lines', 'uppercase', 'echo']);
});

const alone = { memo: 'false' };

/** Runs `work` while the store sends no notifications. */
async function withoutNotifications(work: () => Promise<void>): Promise<void> {
  const { storeAdmin } = pipeline.stack;
  await storeAdmin.client.setBucketNotification(storeAdmin.bucket, new NotificationConfig());
  try {
    await work();
  } finally {
    await setUpBucket({ storeAdmin, graph });
  }
}

/** Starts a tracker with another configuration. */
function tracker(config: Partial<Pipeline['stack']['config']>): Promise<Running> {
  const { stack } = pipeline;
  return start({ ...stack, config: { ...stack.config, ...config } }, graph, 'tracker');
}

describe('an input whose notifications were lost', () => {
  it('is announced by fave sweep when both paths failed', async () => {
    const request = pipeline.request();
    await request.put('one\ntwo', alone);
    // Both notifications are stored and unread. Those of set-up's canary are stored as well, because no relay has run yet.
    const brought = async (path: string): Promise<boolean> =>
      JSON.stringify(await readStoredMessages(pipeline.stack, streams.raw, `fave.raw.${path}`)).includes(request.id);
    await vi.waitUntil(async () => (await brought('fast')) && (await brought('durable')), WAIT);
    await pipeline.stack.bus.manager.streams.purge(streams.raw);
    const relay = await start(pipeline.stack, graph, 'relay');
    expect(await pipeline.fave('sweep', request.id, '--dry-run')).toMatchObject({
      code: 0,
      stdout: `${request.id}  input/text.txt: would be announced for split-lines\n`,
    });
    expect(await request.lifecycle('accepted')).toEqual([]);
    expect(await pipeline.fave('sweep')).toEqual({
      code: 0,
      stdout: `${request.id}  input/text.txt: announced for split-lines\n`,
      stderr: '1 object of 1 open request\n',
    });
    expect(await request.end(1)).toMatchObject({ status: 'completed', outputs: { echoed: 2 } });
    expect(await request.endsOf(1)).toBe(1);
    expect(await pipeline.fave('sweep', request.id)).toMatchObject(failure('has ended (completed)'));
    expect(await pipeline.fave('sweep')).toMatchObject({ code: 0, stdout: '', stderr: '0 objects of 0 open requests\n' });
    await relay.stop();
  });

  it('is announced by the scheduled sweep', async () => {
    await pipeline.running['tracker']?.stop();
    const relay = await start(pipeline.stack, graph, 'relay');
    const request = pipeline.request();
    await withoutNotifications(async () => {
      await request.put('one', alone);
    });
    const sweeping = await tracker({ sweepIntervalSeconds: 0.5 });
    expect(await request.end(1)).toMatchObject({ status: 'completed' });
    await sweeping.stop();
    await relay.stop();
  });

  it('is announced while a consumer is missing', async () => {
    const { bus, storeAdmin } = pipeline.stack;
    const relay = await start(pipeline.stack, graph, 'relay');
    const request = pipeline.request();
    await withoutNotifications(async () => {
      await request.put('one', alone);
    });
    await bus.manager.consumers.delete('FAVE_LANDED', 'echo-first');
    const sweeping = await tracker({ sweepIntervalSeconds: 0.5 });
    await vi.waitUntil(async () => (await request.lifecycle('accepted')).length === 1, WAIT);
    await sweeping.stop();
    await relay.stop();
    await setUp({ storeAdmin, bus, graph, ackWaitSeconds: 1 });
  });

  it('is announced, like all later objects, if the store never sends notifications', async () => {
    const relay = await start(pipeline.stack, graph, 'relay');
    await withoutNotifications(async () => {
      const sweeping = await tracker({ eventSource: 'sweep', sweepIntervalSeconds: 0.2 });
      const request = pipeline.request();
      await request.put('one\ntwo', alone);
      expect(await request.end(1)).toMatchObject({ status: 'completed', outputs: { line: 2, 'upper-line': 2, echoed: 2 } });
      expect(await request.endsOf(1)).toBe(1);
      await sweeping.stop();
    });
    await relay.stop();
  });
});

describe('a landed message that another client has taken from a consumer', () => {
  it('is announced again at once by fave sweep, although other items of the stage are queued', async () => {
    const { stack, running } = pipeline;
    await Promise.all([running['tracker']?.stop(), running['uppercase']?.stop()]);
    const [relay, seldom] = [await start(stack, graph, 'relay'), await tracker({ sweepIntervalSeconds: 3_600 })];
    const request = pipeline.request();
    await request.put('one\ntwo\nthree', alone);
    await vi.waitUntil(async () => (await request.outcomes('split-lines', 1))['input'] === 'done', WAIT);
    const consumer = createLaneConsumer(stack.bus, streams.landed, ['uppercase-first'], createLogger({}, 'silent'));
    const taken = await consumer.next(AbortSignal.timeout(WAIT.timeout));
    await taken?.ackAck();
    const { key } = JSON.parse(taken!.data) as LandedMessage;

    const line = (verb: string): string =>
      `${request.id}  ${key.slice(`requests/${request.id}/`.length)}: ${verb} for uppercase\n`;
    expect(await pipeline.fave('sweep', request.id, '--dry-run')).toMatchObject({ code: 0, stdout: line('would be announced') });
    expect(await pipeline.fave('sweep', request.id)).toMatchObject({ code: 0, stdout: line('announced') });
    await vi.waitUntil(async () => (await pipeline.fave('sweep', request.id, '--dry-run')).stdout === '', WAIT);
    await start(stack, graph, 'uppercase');
    expect(await request.end(1)).toMatchObject({ status: 'completed', errors: [], outputs: { 'upper-line': 3 } });
    await seldom.stop();
    await relay.stop();
  });

  it('is announced again by the scheduled sweep', async () => {
    const { stack, running } = pipeline;
    await running['echo']?.stop();
    const relay = await start(stack, graph, 'relay');
    const sweeping = await tracker({ sweepIntervalSeconds: 0.5 });
    const request = pipeline.request();
    await request.put('one', alone);
    const consumer = createLaneConsumer(stack.bus, streams.landed, ['echo-first'], createLogger({}, 'silent'));
    await (await consumer.next(AbortSignal.timeout(WAIT.timeout)))?.ackAck();
    await start(stack, graph, 'echo');
    expect(await request.end(1)).toMatchObject({ status: 'completed', outputs: { echoed: 1 } });
    await sweeping.stop();
    await relay.stop();
  });
});

describe('a sweep', () => {
  it('considers only listed items of a later run', async () => {
    const { store } = pipeline.stack;
    const prefix = 'requests/sweep-runs/';
    for (const path of ['input/text.txt', 'split-lines/clip_0001/line.txt', 'split-lines/clip_0002/line.txt'])
      await store.put(prefix + path, path);
    const stages = new Map([
      ['uppercase', { listed: new Set(['clip_0001', 'clip_0002']), settled: new Map([['clip_0001', {}]]) }],
    ]);
    const found = async (run: number): Promise<string[]> => {
      const keys: string[] = [];
      for await (const { key } of findUnsettledObjects(store, graph, { id: 'sweep-runs', run: { run, stages } }))
        keys.push(key.slice(prefix.length));
      return keys.sort();
    };
    expect(await found(2)).toEqual(['split-lines/clip_0002/line.txt']);
    expect(await found(1)).toEqual(['input/text.txt', 'split-lines/clip_0002/line.txt']);
  });

  it('considers only the admitted input, and no upload that was refused', async () => {
    const { store } = pipeline.stack;
    const id = 'sweep-inputs';
    for (const file of ['.hidden', 'a.txt', 'b.txt']) await store.put(`requests/${id}/input/${file}`, file);
    const found = async (request: object): Promise<string[]> => {
      const keys: string[] = [];
      for await (const { key } of findUnsettledObjects(store, graph, { id, ...request }))
        keys.push(key.slice(key.lastIndexOf('/') + 1));
      return keys.sort();
    };
    const { etag } = (await store.head(`requests/${id}/input/.hidden`))!;
    const hidden = { kind: 'input', item: 'input', key: 'input/.hidden' };
    expect(await found({})).toEqual(['.hidden', 'a.txt', 'b.txt']);
    expect(await found({ refused: [{ ...hidden, etag }] })).toEqual(['a.txt', 'b.txt']);
    expect(await found({ refused: [{ ...hidden, etag: 'of older content' }] })).toEqual(['.hidden', 'a.txt', 'b.txt']);
    expect(await found({ run: { run: 1, accepted: { input: 'b.txt' }, stages: new Map() } })).toEqual(['b.txt']);
  });
});
