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
  for (const name of ['relay', 'tracker', 'split-lines']) await start(stack, graph, name);
});

/** Shortens retry delays to 1 % and the attempt to two seconds, so that ten deliveries take half a minute instead of an hour. */
const accelerated = { config: { retryFactor: 0.01, concurrency: 3 }, options: { memo: 'false', 'item-timeout': '2' } };

/** Timeout for ten deliveries on a loaded machine, in ms. */
const DELIVERIES_TIMEOUT = { timeout: 120_000, interval: 100 };

it('completes healthy items after an outage of the store that is longer than ten deliveries', { timeout: 240_000 }, async () => {
  const announced = await announcements(stack, 'line');
  const request = requestMetadata(stack, uniqueId());
  await request.put('one\ntwo\nthree', accelerated.options);
  await vi.waitUntil(async () => (await request.progress('split-lines')).length === 1, WAIT);
  await vi.waitUntil(() => announced.length === 3, WAIT);

  await minio.stop();
  const worker = await start(stack, graph, 'uppercase', accelerated.config);
  // Each item was delivered ten times, then announced again.
  const announcementsOf = (n: number): number =>
    announced.filter(({ key }) => key === `requests/${request.id}/split-lines/clip_000${n}/line.txt`).length;
  await vi.waitUntil(() => [1, 2, 3].every((n) => announcementsOf(n) >= 2), DELIVERIES_TIMEOUT);
  await minio.start();

  await vi.waitUntil(async () => (await request.ends()) > 0, DELIVERIES_TIMEOUT);
  expect(await request.ended()).toMatchObject({ status: 'completed', errors: [], stages: { uppercase: { done: 3, failed: 0 } } });
  expect(await request.deadLetters('uppercase')).toEqual([]);
  expect(await request.ends()).toBe(1);
  await worker.stop();
});
