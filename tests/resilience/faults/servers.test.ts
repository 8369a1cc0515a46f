import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Server } from '../../support/harness/server-control.ts';
import { breakable } from '../../support/harness/breakable.ts';
import { expectedArtifacts, tinyGraph, type BeforeItem } from '../../fixtures/tiny/graph.ts';
import { createOwnStack, uniqueId, type Stack } from '../../support/stack.ts';
import { requestMetadata, setUpStack, start, WAIT } from '../../support/harness/runtime.ts';

let before: BeforeItem | undefined;
const graph = tinyGraph((...args) => before?.(...args));

let stack: Stack;
let servers: { nats: Server; minio: Server };
beforeAll(async () => {
  stack = await createOwnStack();
  servers = breakable(stack);
  await setUpStack(stack, graph);
  for (const name of ['relay', 'tracker', 'split-lines', 'uppercase']) await start(stack, graph, name);
});
beforeEach(() => {
  before = undefined;
});

const lines = ['one', 'two', 'three'];

/**
 * Sends a request, runs `inject` once during its second line, and checks the result.
 * @param mode `concurrently`: the worker continues while `inject` runs.
 */
async function assertCompletes(inject: () => Promise<void>, mode?: 'concurrently'): Promise<void> {
  const request = requestMetadata(stack, uniqueId());
  let injection: Promise<void> | undefined;
  before = async (text) => {
    if (text !== 'two') return;
    injection ??= inject();
    if (mode !== 'concurrently') await injection;
  };
  await request.put(lines.join('\n'), { memo: 'false' });
  await vi.waitUntil(() => injection !== undefined, WAIT);
  await injection;
  // Requests fail until the connection is restored.
  await vi.waitUntil(
    () =>
      stack.bus.connection.rtt().then(
        () => true,
        () => false,
      ),
    WAIT,
  );
  await vi.waitUntil(async () => (await request.ends()) > 0, WAIT);
  expect(await request.ended()).toMatchObject({
    status: 'completed',
    errors: [],
    stages: { uppercase: { expected: 3, done: 3, failed: 0 } },
  });
  expect(await request.artifacts()).toEqual(expectedArtifacts(lines));
  expect([await request.ends(), (await request.progress('uppercase')).length]).toEqual([1, 3]);
  expect(await request.deadLetters('uppercase')).toEqual([]);
}

const restart = async (...killed: Server[]): Promise<void> => {
  for (const server of killed) await server.stop('SIGKILL');
  for (const server of killed) await server.start();
};

describe('a request', () => {
  it('completes if NATS is killed and restarted with its data', () => assertCompletes(() => restart(servers.nats)));

  it('completes if MinIO is killed and restarted with its data', () => assertCompletes(() => restart(servers.minio)));

  it('completes if both servers are killed', () => assertCompletes(() => restart(servers.nats, servers.minio)));

  it('completes if MinIO stops during an upload', () => assertCompletes(() => restart(servers.minio), 'concurrently'));

  it('completes if NATS stops while the worker publishes its result', () =>
    assertCompletes(() => restart(servers.nats), 'concurrently'));

  it('completes if NATS hangs while the worker publishes its result', () =>
    assertCompletes(async () => {
      servers.nats.suspend();
      // The store tries to send the notification for five seconds. Its response to the upload shows that it has stopped.
      await stack.store.put('requests/hung/input/text.txt', 'x');
      servers.nats.resume();
    }));
});
