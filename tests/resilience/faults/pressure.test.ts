import { beforeAll, expect, it, vi } from 'vitest';
import { streams } from '../../../shared/bus/topology.ts';
import { readMemory } from '../../../loadgen/study/system/proc.ts';
import { createOwnStack, uniqueId, type Stack } from '../../support/stack.ts';
import { WAIT } from '../../support/wait.ts';
import { mapConcurrently } from '../../../shared/core/map-concurrently.ts';

/** Number of concurrent uploads. The default takes one minute; use 5 000 for a long run. */
const UPLOADS = Number(process.env['FAVE_TEST_UPLOADS'] ?? 250);

/** Maximum peak memory of a process, in MB. The stream and the store keep queued items on disk. */
const MAX_PEAK_MB = { service: 300, 'nats-server': 300, minio: 1_000 } as const;

let stack: Stack;
beforeAll(async () => {
  stack = await createOwnStack();
});

/** Reads the number of terminal events by subject. */
async function ends(): Promise<Record<string, number>> {
  const { state } = await stack.bus.manager.streams.info(streams.requests, { subjects_filter: 'fave.requests.*.failed' });
  return state.subjects ?? {};
}

it('ends many concurrent uploads once each with bounded memory', { timeout: 120_000 + UPLOADS * 2_000 }, async () => {
  const services = await stack.startServices(['relay', 'tracker', 'stage-ffmpeg-0'], { FAVE_CONCURRENCY: '4' });
  const ids = Array.from({ length: UPLOADS }, () => uniqueId());
  const startedAt = performance.now();
  // The files end after the first bytes of a video, so the first stage fails.
  await mapConcurrently(ids, (id) => stack.store.put(`requests/${id}/input/tiny.mp4`, `\0\0\0\x14ftypisom ${id}`), 64);
  const uploaded = performance.now();
  await vi.waitUntil(async () => Object.keys(await ends()).length >= UPLOADS, {
    timeout: 60_000 + UPLOADS * 2_000,
    interval: 1_000,
  });
  const ended = performance.now();
  expect(await ends()).toEqual(Object.fromEntries(ids.map((id) => [`fave.requests.${id}.failed`, 1])));
  // All messages are acknowledged, including those from the queue of the store.
  for (const name of [streams.raw, streams.landed])
    await vi.waitUntil(async () => (await stack.bus.manager.streams.info(name)).state.messages === 0, WAIT);

  const peaks = new Map(services.map(({ name, pid }) => [name, readMemory(pid).peak]));
  for (const [name, pid] of Object.entries(stack.servers)) peaks.set(name, readMemory(pid).peak);
  const seconds = (from: number, to: number): string => `${((to - from) / 1_000).toFixed(0)} s`;
  const summary = [...peaks].map(([name, peak]) => `${name} ${peak.toFixed(0)} MB`).join(', ');
  console.info(
    `${UPLOADS} uploads in ${seconds(startedAt, uploaded)}, all ended after ${seconds(startedAt, ended)}; peaks: ${summary}`,
  );
  for (const [name, peak] of peaks) {
    expect(peak, name).toBeGreaterThan(0);
    expect(peak, name).toBeLessThan(name in MAX_PEAK_MB ? MAX_PEAK_MB[name as keyof typeof MAX_PEAK_MB] : MAX_PEAK_MB.service);
  }
});
