import { beforeAll, expect, it, vi } from 'vitest';
import { mapSome } from '../../cli/requests.ts';
import { streams } from '../../shared/topology.ts';
import { memory } from '../bench/processes.ts';
import { ownStack, uniqueId, type Stack } from '../stack.ts';

/** Uploads at once; 5 000 where there is time. */
const UPLOADS = Number(process.env['FAVE_TEST_UPLOADS'] ?? 150);

/** MB that a service may hold at its peak, whatever waits: what waits is the streams' and the store's. */
const PEAK = 300;

let stack: Stack;
beforeAll(async () => {
  stack = await ownStack();
});

/** Closing events that are stored. */
async function ends(): Promise<number> {
  const { state } = await stack.bus.manager.streams.info(streams.requests, { subjects_filter: 'fave.requests.*.failed' });
  return Object.values(state.subjects ?? {}).reduce((sum, count) => sum + count, 0);
}

it('many tiny uploads at once end once each, and nobody holds them all', { timeout: 60_000 + UPLOADS * 1_000 }, async () => {
  const services = await stack.startServices(['relay', 'tracker', 'stage-ffmpeg-0']);
  const ids = Array.from({ length: UPLOADS }, () => uniqueId());
  // No videos: the first stage says so, and the request fails with its sentence.
  await mapSome(ids, (id) => stack.store.put(`requests/${id}/input/tiny.mp4`, id), 64);
  await vi.waitUntil(async () => (await ends()) >= UPLOADS, { timeout: 30_000 + UPLOADS * 1_000, interval: 500 });
  const { state } = await stack.bus.manager.streams.info(streams.requests, { subjects_filter: 'fave.requests.*.failed' });
  expect(Object.keys(state.subjects ?? {}).sort()).toEqual(ids.map((id) => `fave.requests.${id}.failed`).sort());
  expect(Object.values(state.subjects ?? {}).every((count) => count === 1)).toBe(true);
  const peaks = services.map(({ name, pid }) => [name, memory(pid).peak] as const);
  for (const [name, peak] of peaks) {
    expect(peak, name).toBeGreaterThan(0);
    expect(peak, name).toBeLessThan(PEAK);
  }
});
