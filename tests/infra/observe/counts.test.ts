import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { RequestState } from '../../../schemas/generated/types.ts';
import { graph } from '../../../services/pipeline.ts';
import { results } from '../../../services/relay/relay.ts';
import { publishLifecycle } from '../../../shared/bus/events.ts';
import { createLogger } from '../../../shared/observability/log.ts';
import { createLaneConsumer } from '../../../shared/runtime/delivery/lane-consumer.ts';
import { digestFile } from '../../../shared/store/store.ts';
import { consumerName, MAX_DELIVERIES, streams, subjects } from '../../../shared/bus/topology.ts';
import { chirp, generateMedia, h264, createPicture } from '../../support/media.ts';
import { exhaustDeliveries, requestMetadata } from '../../support/harness/runtime.ts';
import { createOwnStack, uniqueId, type RunningService, type Stack } from '../../support/stack.ts';
import { scrape, valuesOf, type Sample } from './scrape.ts';

const STAGE = 'stage-ffmpeg-0';
const stage = { stage: STAGE };
const WAIT = { timeout: 60_000, interval: 50 };

/** Scrapes a service until it has counted the given number of settled items. */
async function scrapeAfter(service: RunningService | undefined, metric: string, items: number): Promise<Sample[]> {
  return vi.waitUntil(async () => {
    const samples = await scrape(service!);
    const sum = Object.values(valuesOf(samples, metric, stage)).reduce((total, value) => total + value, 0);
    return sum === items && samples;
  }, WAIT);
}

/** Creates an item that exhausts its deliveries, one that is redelivered and succeeds, and one that fails. @returns The id of the second request. */
async function createItems(stack: Stack): Promise<string> {
  const lost = requestMetadata(stack, uniqueId('lost'));
  await lost.put('\0\0\0\x14ftypisom never processed');
  await exhaustDeliveries(stack, STAGE, async () => (await lost.ends()) > 0);

  const path = generateMedia('counted.mp4', ...createPicture({ seconds: 1 }), ...chirp(1), ...h264);
  const again = uniqueId('again');
  await stack.store.upload(`requests/${again}/input/video.mp4`, { path, ...(await digestFile(path)) });
  const feed = createLaneConsumer(stack.bus, streams.landed, [consumerName(STAGE, 'first')], createLogger({}, 'silent'));
  const item = await feed.next(AbortSignal.timeout(WAIT.timeout));
  expect(item?.deliveries).toBe(1);
  item?.nak();

  await requestMetadata(stack, uniqueId('broken')).put('\0\0\0\x14ftypisom cut off');
  return again;
}

describe('service metrics', { timeout: 120_000 }, () => {
  let stack: Stack;
  let tracker: RunningService | undefined;
  let second: RunningService | undefined;
  let again: string;
  let begun: number;
  let worker: Sample[];
  let tracked: Sample[];
  beforeAll(async () => {
    stack = await createOwnStack();
    [tracker] = await stack.startServices(['tracker', 'relay']);
    [second] = await stack.startServices(['tracker']);
    begun = Date.now() / 1_000;
    again = await createItems(stack);
    const [process] = await stack.startServices([STAGE]);
    [worker, tracked] = await Promise.all([
      scrapeAfter(process, 'fave_items_total', 2),
      scrapeAfter(tracker, 'fave_settled_items_total', 3),
    ]);
  });

  it('counts the items of a worker', () => {
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

  it('counts all outcomes in the tracker, including items whose workers were lost', () => {
    expect(valuesOf(tracked, 'fave_settled_items_total', stage)).toEqual({ done: 1, reused: 0, skipped: 0, failed: 2 });
    expect(valuesOf(tracked, 'fave_settled_redeliveries_total', stage)).toEqual({ '': 1 + (MAX_DELIVERIES - 1) });
    expect(valuesOf(tracked, 'fave_settled_cold_starts_total', stage)).toEqual({ '': 1 });
    expect(valuesOf(tracked, 'fave_dead_letters_total', stage)).toEqual({ '': 1 });
    for (const each of ['duration', 'queue'])
      expect(valuesOf(tracked, `fave_settled_item_${each}_seconds_count`, stage)).toEqual({ '': 2 });
    const cost = valuesOf(tracked, 'fave_settled_cost_units_total', stage)['']!;
    expect(cost).toBeGreaterThan(0);
    expect(cost).toBeCloseTo(valuesOf(worker, 'fave_cost_units_total', stage)['']!, 9);
  });

  it('counts the same requests in two trackers', async () => {
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

  it('exports 0 for stages without items', () => {
    const others = graph.stages.filter(({ name }) => name !== STAGE);
    for (const { name } of others) {
      const of = { stage: name };
      expect(valuesOf(tracked, 'fave_settled_items_total', of)).toEqual({ done: 0, reused: 0, skipped: 0, failed: 0 });
      expect(valuesOf(tracked, 'fave_dead_letters_total', of)).toEqual({ '': 0 });
      expect(valuesOf(tracked, 'fave_last_dead_letter_timestamp_seconds', of)).toEqual({ '': 0 });
    }
  });

  it('keeps the time of the last dead letter in a restarted tracker, without counting items twice', async () => {
    const last = valuesOf(tracked, 'fave_last_dead_letter_timestamp_seconds', stage)['']!;
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

describe('relay metrics', () => {
  let stack: Stack;
  const none = Object.fromEntries(results.map((result) => [result, 0]));
  beforeAll(async () => {
    stack = await createOwnStack();
    await stack.bus.manager.streams.purge(streams.raw);
  });

  it('exports its start time for both paths before the first notification', async () => {
    const begun = Math.floor(Date.now() / 1_000);
    const [relay] = await stack.startServices(['relay']);
    const samples = await scrape(relay!);
    await relay!.stop();
    const paths = valuesOf(samples, 'fave_last_notification_timestamp_seconds');
    expect(Object.keys(paths).sort()).toEqual(['durable', 'fast']);
    for (const time of Object.values(paths)) expect(time).toBeGreaterThanOrEqual(begun);
    expect(valuesOf(samples, 'fave_relay_notifications_total')).toEqual(none);
  });

  it('exports no notification time if objects are listed, also after a message on a notification path', async () => {
    const [relay] = await stack.startServices(['relay'], { FAVE_EVENT_SOURCE: 'sweep' });
    await stack.bus.publish(subjects.rawDurable, { not: 'a notification' }, {});
    const samples = await vi.waitUntil(async () => {
      const found = await scrape(relay!);
      return valuesOf(found, 'fave_relay_notifications_total')['invalid'] === 1 && found;
    }, WAIT);
    expect(valuesOf(samples, 'fave_last_notification_timestamp_seconds')).toEqual({});
    expect(valuesOf(samples, 'fave_relay_notifications_total')).toEqual({ ...none, invalid: 1 });
  });
});
