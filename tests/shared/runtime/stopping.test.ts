import { beforeAll, it, onTestFinished, vi } from 'vitest';
import { publishLifecycle } from '../../../shared/bus/events.ts';
import { createStore } from '../../../shared/store/store.ts';
import { tinyGraph } from '../../fixtures/tiny/graph.ts';
import { startProxy, type Proxy } from '../../fixtures/proxy.ts';
import { uniqueId, type Stack } from '../../support/stack.ts';
import { requestMetadata, start, WAIT, startGraph } from '../../support/harness/runtime.ts';

// The last writes have 5 s in total. Without this limit, each would be retried for 30 s.
vi.setConfig({ testTimeout: 25_000 });

const graph = tinyGraph();
let stack: Stack;
beforeAll(async () => {
  stack = await startGraph(graph, ['relay', 'split-lines']);
});

const text = ['one', 'two', 'three'];
const requests = () => text.map(() => requestMetadata(stack, uniqueId()));

/** Creates a stack whose connection to the store can be cut. */
async function createProxiedStack(): Promise<{ proxy: Proxy; proxied: Stack }> {
  const proxy = await startProxy(Number(new URL(stack.config.store.endpoint).port));
  const store = createStore({ ...stack.config.store, endpoint: `http://127.0.0.1:${proxy.port}` });
  onTestFinished(() => store.close());
  return { proxy, proxied: { ...stack, store } };
}

it('ends a worker whose items are settled, even if the store is away', async () => {
  const { proxy, proxied } = await createProxiedStack();
  const worker = await start(proxied, graph, 'uppercase');
  const all = requests();
  await Promise.all(all.map((request, n) => request.put(`${text[n]} ${request.id}`)));
  for (const request of all) await vi.waitUntil(async () => (await request.progress('uppercase')).length === 1, WAIT);
  proxy.cut();
  await worker.stop();
});

it('ends a tracker, even if the store is away', async () => {
  const { proxy, proxied } = await createProxiedStack();
  const tracker = await start(proxied, graph, 'tracker');
  const all = requests();
  await Promise.all(all.map((request, n) => request.put(text[n]!)));
  for (const request of all) await vi.waitUntil(async () => (await request.lifecycle('accepted')).length === 1, WAIT);
  proxy.cut();
  // Each event requires a write of the state file.
  for (const { id } of all) await publishLifecycle(stack.bus, 'fave', 'redriven', { request_id: id, run: 1, status: 'running' });
  await tracker.stop();
});
