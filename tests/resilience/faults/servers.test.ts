import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Server } from '../../support/harness/server-control.ts';
import { breakable } from '../../support/harness/breakable.ts';
import { tinyGraph, type BeforeItem } from '../../fixtures/tiny/graph.ts';
import { computeSha256 } from '../../../shared/store/store.ts';
import { createOwnStack, uniqueId, type Stack } from '../../support/stack.ts';
import { requestMetadata, setUpStack, start, WAIT } from '../../support/harness/runtime.ts';

let before: BeforeItem | undefined;
const graph = tinyGraph((...given) => before?.(...given));

let stack: Stack;
let servers: { nats: Server; minio: Server };
beforeAll(async () => {
  stack = await createOwnStack();
  servers = breakable(stack);
  await setUpStack(stack, graph);
  for (const name of ['relay', 'tracker', 'cut', 'shout']) await start(stack, graph, name);
});
beforeEach(() => {
  before = undefined;
});

const lines = ['one', 'two', 'three'];
const whole = Object.fromEntries([
  ['input/text.txt', computeSha256(lines.join('\n'))],
  ...lines.flatMap((line, n) => [
    [`cut/clip_000${n + 1}/line.txt`, computeSha256(line)],
    [`shout/clip_000${n + 1}/loud.txt`, computeSha256(`${line.toUpperCase()}!`)],
  ]),
]) as Record<string, string>;

/**
 * Sends a request, runs `breaking` once during its second line, and checks the result.
 * @param at Whether the worker continues while `breaking` runs.
 */
async function survives(breaking: () => Promise<void>, at?: 'at once'): Promise<void> {
  const request = requestMetadata(stack, uniqueId());
  let broken: Promise<void> | undefined;
  before = async (text) => {
    if (text !== 'two') return;
    broken ??= breaking();
    if (!at) await broken;
  };
  await request.put(lines.join('\n'), { memo: 'false' });
  await vi.waitUntil(() => broken !== undefined, WAIT);
  await broken;
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
    stages: { shout: { expected: 3, done: 3, failed: 0 } },
  });
  expect(await request.artifacts()).toEqual(whole);
  expect([await request.ends(), (await request.progress('shout')).length]).toEqual([1, 3]);
  expect(await request.deadLetters('shout')).toEqual([]);
}

const lost = async (...these: Server[]): Promise<void> => {
  for (const server of these) await server.stop('SIGKILL');
  for (const server of these) await server.start();
};

describe('a request', () => {
  it('completes if NATS is killed and restarted with its data', () => survives(() => lost(servers.nats)));

  it('completes if MinIO is killed and restarted with its data', () => survives(() => lost(servers.minio)));

  it('completes if both servers are killed', () => survives(() => lost(servers.nats, servers.minio)));

  it('completes if MinIO stops during an upload', () => survives(() => lost(servers.minio), 'at once'));

  it('completes if NATS stops while the worker publishes its result', () => survives(() => lost(servers.nats), 'at once'));

  it('completes if NATS hangs while the worker publishes its result', () =>
    survives(async () => {
      servers.nats.suspend();
      // The store tries to send the notification for five seconds. Its response to the upload shows that it has stopped.
      await stack.store.put('requests/hung/input/nobody.txt', 'x');
      servers.nats.resume();
    }));
});
