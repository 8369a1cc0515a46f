import { beforeAll, expect, it, vi } from 'vitest';
import type { Server } from '../../support/harness/server-control.ts';
import { breakable } from '../../support/harness/breakable.ts';
import { tinyGraph } from '../../fixtures/tiny/graph.ts';
import { announcements, requestMetadata, setUpStack, start, WAIT } from '../../support/harness/runtime.ts';
import { createOwnStack, uniqueId, type Stack } from '../../support/stack.ts';

const graph = tinyGraph();

let stack: Stack;
let minio: Server;
beforeAll(async () => {
  stack = await createOwnStack();
  minio = breakable(stack).minio;
  await setUpStack(stack, graph, 5);
  for (const name of ['relay', 'tracker', 'cut']) await start(stack, graph, name);
});

/** Deliveries are a hundred times faster, and an attempt waits only two seconds for the store: ten take half a minute, not an hour. */
const hurried = { config: { retryFactor: 0.01, concurrency: 3 }, options: { memo: 'false', 'item-timeout': '2' } };

/** Duration of ten deliveries on a loaded machine. */
const PATIENCE = { timeout: 120_000, interval: 100 };

it('completes healthy items after an outage of the store that is longer than ten deliveries', { timeout: 240_000 }, async () => {
  const announced = await announcements(stack, 'line');
  const request = requestMetadata(stack, uniqueId());
  await request.put('one\ntwo\nthree', hurried.options);
  await vi.waitUntil(async () => (await request.progress('cut')).length === 1, WAIT);
  await vi.waitUntil(() => announced.length === 3, WAIT);

  await minio.stop();
  const worker = await start(stack, graph, 'shout', hurried.config);
  // Each item was delivered ten times, then announced again.
  const times = (n: number): number =>
    announced.filter(({ key }) => key === `requests/${request.id}/cut/clip_000${n}/line.txt`).length;
  await vi.waitUntil(() => [1, 2, 3].every((n) => times(n) >= 2), PATIENCE);
  await minio.start();

  await vi.waitUntil(async () => (await request.ends()) > 0, PATIENCE);
  expect(await request.ended()).toMatchObject({ status: 'completed', errors: [], stages: { shout: { done: 3, failed: 0 } } });
  expect(await request.deadLetters('shout')).toEqual([]);
  expect(await request.ends()).toBe(1);
  await worker.stop();
});
