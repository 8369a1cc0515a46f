import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { RequestState } from '../../../schemas/generated/types.ts';
import { graph } from '../../../services/pipeline.ts';
import { relay, results } from '../../../services/relay/relay.ts';
import { publishLifecycle } from '../../../shared/bus/events.ts';
import { createLogger } from '../../../shared/observability/log.ts';
import { createLaneConsumer } from '../../../shared/runtime/delivery/lane-consumer.ts';
import { createMetrics } from '../../../shared/runtime/service/metrics.ts';
import type { Service } from '../../../shared/runtime/service/service.ts';
import { digestFile } from '../../../shared/store/store.ts';
import { consumerName, MAX_DELIVERIES, streams, subjects } from '../../../shared/bus/topology.ts';
import { chirp, generateMedia, h264, createPicture } from '../../support/media.ts';
import { exhaustDeliveries, requestMetadata } from '../../support/harness/runtime.ts';
import { createOwnStack, uniqueId, type RunningService, type Stack } from '../../support/stack.ts';
import { scrape, valuesOf, type Sample } from './scrape.ts';

const STAGE = 'stage-ffmpeg-0';
const stage = { stage: STAGE };
const WAIT = { timeout: 60_000, interval: 50 };

/** Numbers of a service, once it has counted so many settled items. */
async function counted(service: RunningService | undefined, metric: string, items: number): Promise<Sample[]> {
  return vi.waitUntil(async () => {
    const samples = await scrape(service!);
    const sum = Object.values(valuesOf(samples, metric, stage)).reduce((total, value) => total + value, 0);
    return sum === items && samples;
  }, WAIT);
}

/** An item whose worker is lost each time, one that is given back once and then done, and one that nobody can do. @returns The request that goes on. */
async function provoke(stack: Stack): Promise<string> {
  const lost = requestMetadata(stack, uniqueId('lost'));
  await lost.put('nobody reads this');
  await exhaustDeliveries(stack, STAGE, async () => (await lost.ends()) > 0);

  const path = generateMedia('counted.mp4', ...createPicture({ seconds: 1 }), ...chirp(1), ...h264);
  const again = uniqueId('again');
  await stack.store.upload(`requests/${again}/input/video.mp4`, { path, ...(await digestFile(path)) });
  const feed = createLaneConsumer(stack.bus, streams.landed, [consumerName(STAGE, 'first')], createLogger({}, 'silent'));
  const item = await feed.next(AbortSignal.timeout(WAIT.timeout));
  expect(item?.deliveries).toBe(1);
  item?.nak();

  await requestMetadata(stack, uniqueId('broken')).put('this is no video');
  return again;
}

describe('of items that end well, come again, fail and lose their workers', { timeout: 120_000 }, () => {
  let stack: Stack;
  let tracker: RunningService | undefined;
  let second: RunningService | undefined;
  let again: string;
  let begun: number;
  let worker: Sample[];
  let told: Sample[];
  beforeAll(async () => {
    stack = await createOwnStack();
    [tracker] = await stack.startServices(['tracker', 'relay']);
    [second] = await stack.startServices(['tracker']);
    begun = Date.now() / 1_000;
    again = await provoke(stack);
    const [process] = await stack.startServices([STAGE]);
    [worker, told] = await Promise.all([
      counted(process, 'fave_items_total', 2),
      counted(tracker, 'fave_settled_items_total', 3),
    ]);
  });

  it('the worker counts what it did', () => {
    expect(valuesOf(worker, 'fave_items_total', stage)).toEqual({ done: 1, reused: 0, skipped: 0, failed: 1 });
    expect(valuesOf(worker, 'fave_item_duration_seconds_count', stage)).toEqual({ done: 1, failed: 1 });
    expect(valuesOf(worker, 'fave_item_queue_seconds_count', stage)).toEqual({ '': 2 });
    expect(valuesOf(worker, 'fave_redeliveries_total', stage)).toEqual({ '': 1 });
    expect(valuesOf(worker, 'fave_dead_letters_total', stage)).toEqual({ '': 1 });
    expect(valuesOf(worker, 'fave_cold_starts_total', stage)).toEqual({ '': 1 });
    expect(valuesOf(worker, 'fave_cold_start_seconds_count', stage)).toEqual({
      imports: 1,
      connections: 1,
      model: 1,
      first_item: 1,
    });
  });

  it('the tracker counts what became of all of them, also what no worker lived to tell', () => {
    expect(valuesOf(told, 'fave_settled_items_total', stage)).toEqual({ done: 1, reused: 0, skipped: 0, failed: 2 });
    expect(valuesOf(told, 'fave_settled_redeliveries_total', stage)).toEqual({ '': 1 + (MAX_DELIVERIES - 1) });
    expect(valuesOf(told, 'fave_settled_cold_starts_total', stage)).toEqual({ '': 1 });
    expect(valuesOf(told, 'fave_dead_letters_total', stage)).toEqual({ '': 1 });
    for (const each of ['duration', 'queue'])
      expect(valuesOf(told, `fave_settled_item_${each}_seconds_count`, stage)).toEqual({ '': 2 });
    const cost = valuesOf(told, 'fave_settled_cost_units_total', stage)['']!;
    expect(cost).toBeGreaterThan(0);
    expect(cost).toBeCloseTo(valuesOf(worker, 'fave_cost_units_total', stage)['']!, 9);
  });

  it('two trackers count the same requests, each by what its events tell', async () => {
    const cancelled: RequestState = { request_id: again, run: 1, status: 'cancelled' };
    await publishLifecycle(stack.bus, 'test', 'cancelled', cancelled);
    const wanted = { accepted: 3, completed: 0, failed: 2, cancelled: 1 };
    for (const each of [tracker, second])
      await vi.waitFor(async () => {
        const samples = await scrape(each!);
        expect(valuesOf(samples, 'fave_requests_total')).toEqual(wanted);
        expect(valuesOf(samples, 'fave_request_duration_seconds_count')).toEqual({ completed: 0, failed: 2 });
      }, WAIT);
  });

  it('what did not happen is 0, and not missing', () => {
    const others = graph.stages.filter(({ name }) => name !== STAGE);
    for (const { name } of others) {
      const of = { stage: name };
      expect(valuesOf(told, 'fave_settled_items_total', of)).toEqual({ done: 0, reused: 0, skipped: 0, failed: 0 });
      expect(valuesOf(told, 'fave_dead_letters_total', of)).toEqual({ '': 0 });
      expect(valuesOf(told, 'fave_last_dead_letter_timestamp_seconds', of)).toEqual({ '': 0 });
    }
  });

  it('the last dead letter’s time is known to a tracker that comes after it, which counts nothing twice', async () => {
    const last = valuesOf(told, 'fave_last_dead_letter_timestamp_seconds', stage)['']!;
    expect(last).toBeGreaterThan(begun);
    expect(last).toBeLessThanOrEqual(Date.now() / 1_000);
    await tracker?.stop();
    const [next] = await stack.startServices(['tracker']);
    const samples = await vi.waitUntil(async () => {
      const found = await scrape(next!);
      return valuesOf(found, 'fave_last_dead_letter_timestamp_seconds', stage)[''] === last && found;
    }, WAIT);
    expect(valuesOf(samples, 'fave_settled_items_total', stage)).toEqual({ done: 0, reused: 0, skipped: 0, failed: 0 });
  });
});

describe('a relay', () => {
  /** Runs a relay to which these messages come, and tells what it told after them. */
  async function told(
    events: 'notifications' | 'sweep',
    ...heard: readonly object[]
  ): Promise<(metric: string) => Promise<Record<string, number>>> {
    const metrics = createMetrics('relay');
    const stopping = new AbortController();
    const messages = { close: () => Promise.resolve() };
    const consumer = {
      consume: ({ callback }: { callback: (message: object) => void }) => {
        heard.forEach(callback);
        return Promise.resolve(messages);
      },
    };
    const service = {
      config: { events },
      metrics,
      log: { warn: () => undefined },
      stopping: stopping.signal,
      bus: { jetstream: { consumers: { get: () => Promise.resolve(consumer) } } },
      // As soon as it listens for that.
      ready: () => {
        queueMicrotask(() => {
          stopping.abort();
        });
      },
    };
    await relay(service as unknown as Service, graph);
    return async (metric) => {
      const { values } = await metrics.registry.getSingleMetric(metric)!.get();
      return Object.fromEntries(values.map(({ labels, value }) => [Object.values(labels).join(' '), value]));
    };
  }

  it('that has heard nothing tells since when it waits for either path', async () => {
    const begun = Date.now() / 1_000;
    const of = await told('notifications');
    const paths = await of('fave_last_notification_timestamp_seconds');
    expect(Object.keys(paths).sort()).toEqual(['durable', 'fast']);
    for (const time of Object.values(paths)) expect(time).toBeGreaterThanOrEqual(begun);
    expect(await of('fave_relay_notifications_total')).toEqual(Object.fromEntries(results.map((result) => [result, 0])));
  });

  it('waits for none where objects are listed, also after one was carried to it, and is there all the same', async () => {
    const carried = { subject: subjects.rawDurable, string: () => 'no notification', term: () => undefined };
    const of = await told('sweep', carried);
    expect(await of('fave_last_notification_timestamp_seconds')).toEqual({});
    expect(await of('fave_relay_notifications_total')).toEqual({
      ...Object.fromEntries(results.map((result) => [result, 0])),
      invalid: 1,
    });
  });
});
