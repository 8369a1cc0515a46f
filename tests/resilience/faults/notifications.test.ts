import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { announce } from '../../../shared/bus/landed-message.ts';
import { republishNotification, findUnsettledObjects } from '../../../shared/requests/sweep.ts';
import { streams } from '../../../shared/bus/topology.ts';
import { randomOf } from '../../../shared/core/random.ts';
import { setNotificationRules, type Path } from '../chaos/rules.ts';
import { tinyGraph } from '../../fixtures/tiny/graph.ts';
import { uniqueId, type Stack } from '../../support/stack.ts';
import { announcements, requestMetadata, WAIT, startGraph } from '../../support/harness/runtime.ts';
import { fetchStreamLag } from '../../support/harness/lag.ts';

let worked: string[] = [];
const graph = tinyGraph((text) => void worked.push(text));

let stack: Stack;
beforeAll(async () => {
  stack = await startGraph(graph, ['relay', 'tracker', 'split-lines', 'uppercase']);
});
beforeEach(async () => {
  worked = [];
  await setNotificationRules(stack.storeAdmin, graph, ['fast', 'durable']);
});

const newRequest = () => requestMetadata(stack, uniqueId());
const withoutMemo = { memo: 'false' };

describe('a request', () => {
  it.each<[Path, Path]>([
    ['fast', 'durable'],
    ['durable', 'fast'],
  ])('completes when %s notifications are lost and %s ones arrive', async (_lost, remaining) => {
    await setNotificationRules(stack.storeAdmin, graph, [remaining]);
    const request = newRequest();
    await request.put('one\ntwo', withoutMemo);
    expect(await request.ended()).toMatchObject({ status: 'completed', errors: [], outputs: { 'upper-line': 2 } });
    expect(await request.ends()).toBe(1);
  });

  it('completes by a sweep if both notifications of the input were lost', async () => {
    const request = newRequest();
    await setNotificationRules(stack.storeAdmin, graph, []);
    await request.put('one\ntwo', withoutMemo);
    await setNotificationRules(stack.storeAdmin, graph, ['fast', 'durable']);
    const keys: string[] = [];
    for await (const object of findUnsettledObjects(stack.store, graph, { id: request.id })) {
      keys.push(object.key);
      await republishNotification(stack.bus, stack.store.bucket, object);
    }
    expect(keys).toEqual([`requests/${request.id}/input/text.txt`]);
    expect(await request.ended()).toMatchObject({ status: 'completed', errors: [], outputs: { 'upper-line': 2 } });
    expect(await request.ends()).toBe(1);
  });
});

it('ignores twenty repeated deliveries of events in any order', async () => {
  const announced = await announcements(stack);
  const request = newRequest();
  await request.put('one\ntwo\nthree', withoutMemo);
  const end = await request.ended();
  const artifacts = await request.artifacts();
  const ownMessages = announced.filter(({ request_id, kind }) => request_id === request.id && kind !== 'upper-line');
  expect(ownMessages.map(({ kind }) => kind).sort()).toEqual(['input', 'line', 'line', 'line']);

  const copies = ownMessages.flatMap((landed) => Array.from({ length: 20 }, (_, n) => [landed, String(n)] as const));
  for (const [landed, nonce] of randomOf(1).shuffled(copies)) await announce(stack.bus, stack.store.bucket, landed, { nonce });
  await idle();
  expect(worked.sort()).toEqual(['one', 'three', 'two']);
  expect(await request.artifacts()).toEqual(artifacts);
  expect(await request.state()).toEqual(end);
  expect([
    await request.ends(),
    (await request.progress('split-lines')).length,
    (await request.progress('uppercase')).length,
  ]).toEqual([1, 1, 3]);
});

/** Waits until no consumer has lag. */
async function idle(): Promise<void> {
  await vi.waitUntil(async () => (await fetchStreamLag(stack.bus, streams.landed)) === 0, WAIT);
}
