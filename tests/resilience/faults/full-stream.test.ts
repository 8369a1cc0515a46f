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

/** Maximum size of a stream, in bytes: a few messages. */
const MAX_STREAM_BYTES = 8_192;

/** Number of uploads: several times the capacity of both streams. */
const UPLOADS = 40;

/** Number of events that MinIO stores on disk until NATS accepts them. */
async function countQueued(): Promise<number> {
  const names = await readdir(join(stack.dataDir, 'queue'), { recursive: true });
  return names.filter((name) => name.endsWith('.event')).length;
}

it('queues notifications in the store while streams are full, without loss', { timeout: 180_000 }, async () => {
  for (const name of [streams.raw, streams.landed]) await stack.bus.manager.streams.update(name, { max_bytes: MAX_STREAM_BYTES });
  // Without workers, the relay fills the landed stream, notifications fill the raw stream, then the store queues them.
  await start(stack, graph, 'relay');
  const requests = Array.from({ length: UPLOADS }, () => requestMetadata(stack, uniqueId()));
  for (const [n, request] of requests.entries()) await request.put(`line ${n}`, { memo: 'false' });
  await vi.waitUntil(async () => (await countQueued()) > 0, WAIT);
  for (const name of [streams.raw, streams.landed]) {
    expect((await stack.bus.manager.streams.info(name)).state.bytes).toBeLessThanOrEqual(MAX_STREAM_BYTES);
  }

  for (const name of ['tracker', 'split-lines', 'uppercase']) await start(stack, graph, name);
  await vi.waitUntil(async () => (await Promise.all(requests.map((request) => request.ends()))).every((ends) => ends > 0), {
    timeout: 120_000,
    interval: 500,
  });
  for (const request of requests)
    expect(await request.ended()).toMatchObject({ status: 'completed', errors: [], outputs: { 'upper-line': 1 } });
  expect(await Promise.all(requests.map((request) => request.ends()))).toEqual(requests.map(() => 1));
  await vi.waitUntil(async () => (await countQueued()) === 0, WAIT);
});
