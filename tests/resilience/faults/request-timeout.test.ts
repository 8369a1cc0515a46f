import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { UnavailableError } from '../../../shared/core/errors.ts';
import type { Store } from '../../../shared/store/store.ts';
import { tinyGraph } from '../../fixtures/tiny/graph.ts';
import { requestMetadata, start, WAIT, startGraph } from '../../support/harness/runtime.ts';
import { uniqueId, type Stack } from '../../support/stack.ts';

/** Duration of a call to a store that hangs, in ms: longer than the interval of the tracker. */
const HANG_MS = 1_500;

let stack: Stack;
/** Ends open calls. */
let release: () => void;
let released: Promise<void>;
const graph = tinyGraph((_, __, { signal }) =>
  Promise.race([released, new Promise<void>((_, stop) => signal.addEventListener('abort', () => stop(signal.reason as Error)))]),
);
beforeAll(async () => {
  stack = await startGraph(graph, ['relay', 'split-lines', 'uppercase']);
});
beforeEach(() => {
  released = new Promise((resolve) => (release = resolve));
});

const readMarker = (id: string) => stack.store.getText(`requests/${id}/metadata/cancelled.json`);

it('ends expired requests after the store has recovered', { timeout: 60_000 }, async () => {
  let [away, failedCalls, openCalls, maxOpenCalls] = [true, 0, 0, 0];
  const put: Store['put'] = async (key, ...rest) => {
    if (!away || !key.endsWith('/cancelled.json')) return stack.store.put(key, ...rest);
    maxOpenCalls = Math.max(maxOpenCalls, (openCalls += 1));
    await sleep(HANG_MS);
    [openCalls, failedCalls] = [openCalls - 1, failedCalls + 1];
    throw new UnavailableError('store-unavailable', 'the store is away');
  };
  const tracker = await start({ ...stack, store: { ...stack.store, put } }, graph, 'tracker');
  const requests = [requestMetadata(stack, uniqueId()), requestMetadata(stack, uniqueId())];
  for (const request of requests) await request.put('one', { timeout: '1' });
  await vi.waitUntil(() => failedCalls >= 3, WAIT);
  expect(maxOpenCalls).toBe(1);
  away = false;
  for (const request of requests) {
    expect(await request.ended()).toMatchObject({ status: 'failed', errors: [{ code: 'request-timeout' }] });
    expect(await readMarker(request.id)).toBeDefined();
  }
  await tracker.stop();
});

it('does not expire a request that has finished without a terminal event', { timeout: 60_000 }, async () => {
  const first = await start(stack, graph, 'tracker');
  const request = requestMetadata(stack, uniqueId());
  await request.put('two', { timeout: '5' });
  const [accepted] = await vi.waitUntil(async () => {
    const events = await request.lifecycle('accepted');
    return events.length > 0 && events;
  }, WAIT);
  await first.stop();
  release();
  await vi.waitUntil(async () => (await request.progress('uppercase')).length === 1, WAIT);
  await vi.waitUntil(() => Date.now() > Date.parse(accepted!.accepted_at!) + 5_000, WAIT);
  const second = await start(stack, graph, 'tracker');
  expect(await request.ended()).toMatchObject({ status: 'completed', errors: [] });
  expect(await readMarker(request.id)).toBeUndefined();
  await second.stop();
});
