import { beforeAll, expect, it } from 'vitest';
import { checkNotifications } from '../../../infra/setup/notification-check.ts';
import { identityOf } from '../../../infra/process/identity.ts';
import { createOwnStack, type Stack } from '../../support/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await createOwnStack();
});

it('announces the canary with the role of the relay, logs its start and stop, and exits on SIGTERM', async () => {
  const [relay] = await stack.startServices(['relay']);
  if (!relay) throw new Error('no relay was started');
  const received = await checkNotifications({ ...stack, timeoutMs: 20_000, relay: true });
  expect(Object.keys(received).sort()).toEqual(['durable', 'fast', 'relay']);
  expect((await fetch(`http://127.0.0.1:${relay.http}/healthz`)).status).toBe(200);
  await relay.stop();
  expect(identityOf(relay.pid).started).toBe('');
  const events = (await relay.logs()).map(({ event }) => event);
  expect(events).toEqual(expect.arrayContaining(['service:ready', 'service:stop']));
});
