import { beforeEach, expect, it, vi } from 'vitest';
import { tinyGraph } from '../fixtures/tiny/graph.ts';
import { breakable } from '../support/harness/breakable.ts';
import { requestMetadata, setUpStack, start, WAIT } from '../support/harness/runtime.ts';
import { createOwnStack, uniqueId, type Stack } from '../support/stack.ts';
import { publishLifecycle } from '../../shared/bus/events.ts';
import { fave, record } from '../support/harness/run-cli.ts';

let stack: Stack;
beforeEach(async () => {
  stack = await createOwnStack();
});

it('continues fave watch after a restart of NATS', async () => {
  let reached = false;
  const opened = Promise.withResolvers<undefined>();
  const graph = tinyGraph(() => ((reached = true), opened.promise));
  const { nats } = breakable(stack);
  await setUpStack(stack, graph);
  for (const name of ['relay', 'tracker', 'split-lines', 'uppercase']) await start(stack, graph, name);

  const [id, interrupted, stdout] = [uniqueId(), new AbortController(), record()];
  const watching = fave(['watch', id], { env: stack.environment, signal: interrupted.signal, stdout });
  await requestMetadata(stack, id).put('one');
  await vi.waitUntil(() => reached && stdout.text().includes('split-lines'), WAIT);
  await nats.stop('SIGKILL');
  await nats.start();
  opened.resolve(undefined);

  await vi.waitUntil(() => stdout.text().includes('completed'), WAIT);
  interrupted.abort();
  expect((await watching).code).toBe(0);
  const lines = stdout.text().trim().split('\n');
  expect((await requestMetadata(stack, id).progress('uppercase')).length).toBe(1);
  expect(lines.map((line) => line.split(/ +/)[1]).sort()).toEqual(['accepted', 'completed', 'split-lines', 'uppercase']);
});

it('ends fave watch on Ctrl-C after all servers are gone', async () => {
  const { nats } = breakable(stack);
  const [id, interrupted, stdout] = [uniqueId(), new AbortController(), record()];
  const watching = fave(['watch', id], { env: stack.environment, signal: interrupted.signal, stdout });
  await publishLifecycle(stack.bus, 'test', 'rejected', { request_id: id, run: 1, status: 'rejected' });
  await vi.waitUntil(() => stdout.text().includes('rejected'), WAIT);
  await nats.stop('SIGKILL');
  interrupted.abort();
  expect((await watching).code).toBe(0);
  await nats.start();
});
