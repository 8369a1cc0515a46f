import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { readSecrets } from '../../../../infra/access/secrets.ts';
import { connectBus } from '../../../../shared/bus/connection.ts';
import { createLogger, type LogFields, type Logger } from '../../../../shared/observability/log.ts';
import { createLaneConsumer, orderLanes, type LaneConsumer } from '../../../../shared/runtime/delivery/lane-consumer.ts';
import { startProxy } from '../../../fixtures/proxy.ts';
import { useSharedStack, type Stack } from '../../../support/stack.ts';
import { WAIT } from '../../../support/wait.ts';
import { queue, valueOf, type Queue } from '../../../support/harness/queue.ts';
import { lagOf } from '../../../../shared/bus/consumers.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await useSharedStack();
});

const createConsumer = (
  { stream, lanes }: Pick<Queue, 'stream' | 'lanes'>,
  bus = stack.bus,
  log = createLogger({}, 'silent'),
): LaneConsumer => createLaneConsumer(bus, stream, lanes, log);

/** Creates a logger that records its lines. */
function createRecordingLog(): { log: Logger; lines: LogFields[] } {
  const lines: LogFields[] = [];
  const write = (fields: LogFields, message?: string): void => void lines.push({ ...fields, message });
  return { log: { trace: write, debug: write, info: write, warn: write, error: write, fatal: write }, lines };
}

/** Returns a signal that aborts at the end of the test. */
function testSignal(): AbortSignal {
  const end = new AbortController();
  onTestFinished(() => end.abort());
  return end.signal;
}

async function take(consumer: LaneConsumer, signal = testSignal()): Promise<number | undefined> {
  const delivery = await consumer.next(signal);
  await delivery?.ackAck();
  return valueOf(delivery);
}

/** Waits until every lane has a pull outstanding. */
const waitUntilPulled = ({ lanes, info }: Queue) =>
  vi.waitUntil(async () => (await Promise.all(lanes.map(info))).every(({ num_waiting }) => num_waiting > 0), WAIT);

/** Waits until everything is acknowledged. */
const waitUntilSettled = ({ lanes, info }: Queue) =>
  vi.waitUntil(async () => (await Promise.all(lanes.map(info))).every((info) => lagOf(info) === 0), WAIT);

describe('orderLanes', () => {
  it('gives every eighth turn to a later lane, each in turn', () => {
    const lanes = ['a', 'b', 'c', 'd'];
    const turns = Array.from({ length: 24 }, (_, n) => orderLanes(lanes, n)[0]);
    expect(turns.flatMap((lane, n) => (lane === 'a' ? [] : [[n, lane]]))).toEqual([
      [7, 'c'],
      [15, 'd'],
      [23, 'b'],
    ]);
    for (let n = 0; n < 24; n++) expect([...orderLanes(lanes, n)].sort()).toEqual(lanes);
    expect(Array.from({ length: 8 }, (_, n) => orderLanes(['a'], n)[0])).toEqual(Array(8).fill('a'));
  });
});

describe('createLaneConsumer', () => {
  it('prefers the first lane, except for every eighth message', async () => {
    const lanes = await queue(stack.bus, ['first', 'rest']);
    await lanes.put('rest', 101, 102);
    await lanes.put('first', 1, 2, 3, 4, 5, 6, 7, 8, 9);
    const consumer = createConsumer(lanes);
    const taken: unknown[] = [];
    for (let n = 0; n < 11; n++) taken.push(await take(consumer));
    expect(taken).toEqual([1, 2, 3, 4, 5, 6, 7, 101, 8, 9, 102]);
  });

  it('waits for a message on any lane', async () => {
    const lanes = await queue(stack.bus, ['first', 'rest']);
    const consumer = createConsumer(lanes);
    for (const [value, lane] of [
      [1, 'rest'],
      [2, 'first'],
    ] as const) {
      const next = take(consumer);
      await waitUntilPulled(lanes);
      await lanes.put(lane, value);
      expect(await next).toBe(value);
    }
  });

  it('returns the second of two messages that arrive together', async () => {
    const lanes = await queue(stack.bus, ['first', 'rest']);
    const consumer = createConsumer(lanes);
    const next = take(consumer);
    await waitUntilPulled(lanes);
    await Promise.all([lanes.put('first', 1), lanes.put('rest', 2)]);
    const taken = [await next, await take(consumer)];
    expect(taken.sort()).toEqual([1, 2]);
    await waitUntilSettled(lanes);
  });

  it('holds no message while another is processed', async () => {
    const lanes = await queue(stack.bus, ['only']);
    const [busy, idle] = [createConsumer(lanes), createConsumer(lanes)];
    await lanes.put('only', 1);
    const first = await busy.next(testSignal());
    await lanes.put('only', 2);
    expect(await take(idle)).toBe(2);
    expect((await lanes.info('only')).num_ack_pending).toBe(1);
    await first?.ackAck();
  });

  it('stops on abort and leaves later messages to other consumers', async () => {
    const lanes = await queue(stack.bus, ['first', 'rest']);
    const stop = new AbortController();
    const next = createConsumer(lanes).next(stop.signal);
    await waitUntilPulled(lanes);
    stop.abort();
    expect(await next).toBeUndefined();
    await lanes.put('rest', 1);
    expect(await take(createConsumer(lanes))).toBe(1);
  });

  it('stops immediately on an abort during a poll', async () => {
    const lanes = await queue(stack.bus, ['first', 'rest']);
    const stop = new AbortController();
    const next = createConsumer(lanes).next(stop.signal);
    stop.abort();
    const abortedAt = performance.now();
    expect(await next).toBeUndefined();
    // A wait that starts after the abort would last five seconds.
    expect(performance.now() - abortedAt).toBeLessThan(4_500);
  });

  it('takes no message after it has stopped', async () => {
    const lanes = await queue(stack.bus, ['only']);
    await lanes.put('only', 1);
    expect(await createConsumer(lanes).next(AbortSignal.abort())).toBeUndefined();
    expect((await lanes.info('only')).delivered.consumer_seq).toBe(0);
  });

  it('continues after the server returns', async () => {
    // The server may still deliver to the pull of the lost connection. The message is then redelivered.
    const lanes = await queue(stack.bus, ['only'], { ackWaitSeconds: 1 });
    const proxy = await startProxy(Number(new URL(stack.config.bus.servers[0]!).port));
    const bus = await connectBus({ ...stack.config.bus, servers: [`127.0.0.1:${proxy.port}`] }, 'test');
    onTestFinished(() => bus.close());
    const next = take(createConsumer(lanes, bus));
    await waitUntilPulled(lanes);
    proxy.cut();
    await lanes.put('only', 1);
    proxy.restore();
    expect(await next).toBe(1);
  });
});

describe('createLaneConsumer with an unavailable consumer', () => {
  const waitForLine = (lines: LogFields[]) => vi.waitUntil(() => lines.length > 0, { timeout: 25_000, interval: 50 });

  it('logs a missing consumer once, and that it was restored', async () => {
    const lanes = await queue(stack.bus, ['first']);
    const { log, lines } = createRecordingLog();
    const next = take(createConsumer({ ...lanes, lanes: ['first', 'second'] }, stack.bus, log));
    await waitForLine(lines);
    await stack.bus.manager.consumers.add(lanes.stream, {
      durable_name: 'second',
      filter_subject: lanes.subject('second'),
      ack_policy: 'explicit',
    });
    await lanes.put('second', 1);
    expect(await next).toBe(1);
    expect(lines).toMatchObject([
      {
        event: 'consumer:unavailable',
        consumer: 'second',
        message: expect.stringMatching(/^the consumer second of .* is unavailable .*no responders.* fave doctor/) as string,
      },
      { event: 'consumer:restored', consumer: 'second' },
    ]);
  });

  it('logs a consumer once for which the user lacks permission', async () => {
    const lanes = await queue(stack.bus, ['only']);
    const secrets = await readSecrets(stack.dataDir);
    const user = 'stage-grep';
    const bus = await connectBus({ ...stack.config.bus, user, password: secrets?.bus[user] ?? '' }, 'test');
    onTestFinished(() => bus.close());
    const { log, lines } = createRecordingLog();
    const next = createConsumer(lanes, bus, log).next(testSignal());
    await waitForLine(lines);
    expect(lines).toMatchObject([{ consumer: 'only', message: expect.stringMatching(/permissions violation/i) as string }]);
    void next;
  });
});

it('shares all messages between several lane consumers', async () => {
  const lanes = await queue(stack.bus, ['first', 'rest']);
  const values = Array.from({ length: 120 }, (_, n) => n);
  const taken: number[] = [];
  const stop = new AbortController();
  const work = async (): Promise<void> => {
    const consumer = createConsumer(lanes);
    for (let value = await take(consumer, stop.signal); value !== undefined; value = await take(consumer, stop.signal)) {
      taken.push(value);
      if (new Set(taken).size === values.length) stop.abort();
    }
  };
  await Promise.all([
    work(),
    work(),
    work(),
    work(),
    ...values.map((value) => lanes.put(value % 3 === 0 ? 'first' : 'rest', value)),
  ]);
  expect(taken.sort((a, b) => a - b)).toEqual(values);
  await waitUntilSettled(lanes);
});
