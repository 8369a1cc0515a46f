import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import type { LoadRecord } from '../../schemas/generated/types.ts';
import { realClock } from '../../loadgen/arrivals/clock.ts';
import { runLoad } from '../../loadgen/run/load.ts';
import { readVideo } from '../../loadgen/arrivals/mix.ts';
import type { Target } from '../../loadgen/targets/target.ts';
import { createBucketTarget } from '../../loadgen/targets/bucket.ts';
import { publishLifecycle, publishItemEvent } from '../../shared/bus/events.ts';
import { parseFaveHeaders } from '../../shared/pipeline/metadata.ts';
import { mediaFolder } from '../support/media.ts';
import { useSharedStack } from '../support/stack.ts';

// A hook has a longer timeout than a test.
beforeAll(useSharedStack);

it('uploads to the bucket and reports ends from request events', async () => {
  const { store, bus } = await useSharedStack();
  await writeFile(join(mediaFolder(), 'a b.mp4'), 'not really');
  const video = await readVideo('a b.mp4', mediaFolder());
  const target = createBucketTarget(store, bus, { memo: 'false', query: 'café' });
  // Publishes the events of the system, because this test runs no services.
  const answered: Target = {
    ...target,
    async send(sending, signal) {
      await target.send(sending, signal);
      const about = { request_id: sending.id, run: 1 };
      await publishLifecycle(bus, 'test', 'accepted', { ...about, status: 'accepted' });
      const costs = { deliveries: 2, duration_ms: 12.5, queue_ms: 3, cold_start: true, cost_unit: 0.01 };
      await publishItemEvent(bus, 's', { ...about, stage: 's', item: 'input', outcome: 'done', outputs: [], ...costs });
      await publishLifecycle(bus, 'test', 'completed', { ...about, status: 'completed' });
    },
  };
  const records: LoadRecord[] = [];
  await runLoad({
    schedule: { times: [0, 0.05], duration: 0.1 },
    videos: [video],
    seed: 1,
    target: answered,
    clock: realClock(),
    wait: 20,
    signal: new AbortController().signal,
    record: (record) => records.push(record),
  });
  expect(records).toHaveLength(2);
  for (const { request_id, stages, accepted, completed, ...record } of records) {
    expect(record).toMatchObject({ status: 'completed', size: 10, video: 'a b.mp4', cold_starts: 1, cost_unit: 0.01 });
    expect(stages).toEqual({ s: expect.objectContaining({ items: 1, redelivered: 1, queue_ms: 3, duration_ms: 12.5 }) });
    expect(Date.parse(completed!)).toBeGreaterThanOrEqual(Date.parse(accepted!));
    const stored = await store.head(`requests/${request_id}/input/a b.mp4`);
    expect(parseFaveHeaders(stored!.headers)).toMatchObject({ memo: 'false', query: 'café' });
  }
});
