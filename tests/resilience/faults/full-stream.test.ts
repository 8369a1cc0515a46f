import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, it, vi } from 'vitest';
import { streams } from '../../../shared/bus/topology.ts';
import { tinyGraph } from '../../fixtures/tiny/graph.ts';
import { requestMetadata, setUpStack, start, WAIT } from '../../support/harness/runtime.ts';
import { createOwnStack, uniqueId, type Stack } from '../../support/stack.ts';

const graph = tinyGraph();

let stack: Stack;
beforeAll(async () => {
  stack = await createOwnStack();
  await setUpStack(stack, graph);
});

/** Bytes that a stream is bounded to: room for a few messages. */
const SMALL = 8_192;

/** Uploads: several times what both streams hold. */
const UPLOADS = 40;

/** Events that MinIO keeps on disk until NATS takes them. */
async function queued(): Promise<number> {
  const names = await readdir(join(stack.dataDir, 'queue'), { recursive: true });
  return names.filter((name) => name.endsWith('.event')).length;
}

it('full streams push back into the store’s queue, and nothing is lost', { timeout: 180_000 }, async () => {
  for (const name of [streams.raw, streams.landed]) await stack.bus.manager.streams.update(name, { max_bytes: SMALL });
  // Nobody works: the relay fills the stream of what landed, then notifications fill theirs, then the store keeps them.
  await start(stack, graph, 'relay');
  const requests = Array.from({ length: UPLOADS }, () => requestMetadata(stack, uniqueId()));
  for (const [n, request] of requests.entries()) await request.put(`line ${n}`, { memo: 'false' });
  await vi.waitUntil(async () => (await queued()) > 0, WAIT);
  for (const name of [streams.raw, streams.landed]) {
    expect((await stack.bus.manager.streams.info(name)).state.bytes).toBeLessThanOrEqual(SMALL);
  }

  for (const name of ['tracker', 'cut', 'shout']) await start(stack, graph, name);
  await vi.waitUntil(async () => (await Promise.all(requests.map((request) => request.ends()))).every((ends) => ends > 0), {
    timeout: 120_000,
    interval: 500,
  });
  for (const request of requests)
    expect(await request.ended()).toMatchObject({ status: 'completed', errors: [], outputs: { loud: 1 } });
  expect(await Promise.all(requests.map((request) => request.ends()))).toEqual(requests.map(() => 1));
  await vi.waitUntil(async () => (await queued()) === 0, WAIT);
});
