import { createInbox, type Msg } from 'nats';
import { beforeAll, expect, it } from 'vitest';
import { toDelivery, type Delivery } from '../../../../shared/runtime/delivery/delivery.ts';
import { useSharedStack, type Stack } from '../../../support/stack.ts';
import { queue, valueOf, type Queue } from '../../../support/harness/queue.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await useSharedStack();
});

const pull = ({ stream }: Queue, ask: object): Promise<Msg> =>
  stack.bus.connection.request(`$JS.API.CONSUMER.MSG.NEXT.${stream}.only`, JSON.stringify({ batch: 1, ...ask }), {
    timeout: 10_000,
    noMux: true,
    reply: createInbox(),
  });

/** Returns the next delivery within 10 s. */
async function next(lanes: Queue): Promise<Delivery> {
  const delivery = toDelivery(stack.bus.connection, await pull(lanes, { expires: 10e9 }));
  if (!delivery) throw new Error('no message was delivered');
  return delivery;
}

it('exposes the subject, data and position of a message', async () => {
  const before = Date.now();
  const lanes = await queue(stack.bus, ['only']);
  await lanes.put('only', 1, 2);
  await next(lanes);
  const second = await next(lanes);
  expect(second).toMatchObject({ subject: lanes.subject('only'), sequence: 2, deliveries: 1 });
  expect(valueOf(second)).toBe(2);
  expect(second.storedAtMs).toBeGreaterThan(before - 1_000);
  expect(second.storedAtMs).toBeLessThan(Date.now() + 1_000);
});

it('returns undefined for a status reply', async () => {
  const lanes = await queue(stack.bus, ['only']);
  expect(toDelivery(stack.bus.connection, await pull(lanes, { no_wait: true }))).toBeUndefined();
});

it('resolves an acknowledgement after the server has processed it', async () => {
  const lanes = await queue(stack.bus, ['only']);
  await lanes.put('only', 1);
  expect(await (await next(lanes)).ackAck()).toBe(true);
  expect(await lanes.info('only')).toMatchObject({ num_ack_pending: 0, num_pending: 0, ack_floor: { stream_seq: 1 } });
});

it('is redelivered immediately after a nak and counts its deliveries', async () => {
  const lanes = await queue(stack.bus, ['only']);
  await lanes.put('only', 1);
  (await next(lanes)).nak();
  const again = await next(lanes);
  expect(again.deliveries).toBe(2);
  again.nak();
  expect((await next(lanes)).deliveries).toBe(3);
});

it('is redelivered after the delay of a nak', async () => {
  const lanes = await queue(stack.bus, ['only']);
  await lanes.put('only', 1);
  const first = await next(lanes);
  const returnedAt = performance.now();
  first.nak(600);
  expect((await next(lanes)).deliveries).toBe(2);
  expect(performance.now() - returnedAt).toBeGreaterThan(590);
});

it('is not redelivered after a term', async () => {
  const lanes = await queue(stack.bus, ['only']);
  await lanes.put('only', 1, 2);
  (await next(lanes)).term('because it is broken');
  expect(valueOf(await next(lanes))).toBe(2);
  expect(await lanes.info('only')).toMatchObject({ num_ack_pending: 1, num_redelivered: 0 });
});

it('is redelivered after ack_wait unless a heartbeat arrives', async () => {
  const lanes = await queue(stack.bus, ['only'], { ackWaitSeconds: 2 });
  await lanes.put('only', 1);
  const first = await next(lanes);
  const startedAt = performance.now();
  const working = setInterval(() => first.working(), 200);
  const again = next(lanes);
  const stop = setTimeout(() => clearInterval(working), 2_500);
  expect((await again).deliveries).toBe(2);
  expect(performance.now() - startedAt).toBeGreaterThan(4_000);
  clearTimeout(stop);
});
