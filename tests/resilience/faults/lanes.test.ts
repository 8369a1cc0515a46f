import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, it, vi } from 'vitest';
import { tinyGraph } from '../../fixtures/tiny/graph.ts';
import { requestMetadata, WAIT, startGraph } from '../../support/harness/runtime.ts';
import { uniqueId, type Stack } from '../../support/stack.ts';

/** Number of lines of the long request. */
const LONG_LINES = Number(process.env['FAVE_TEST_CLIPS'] ?? 100);

/** Processing time per line, in ms. It dominates the measured time, so the load of the machine has little influence. */
const ITEM_MS = 2_000;

const worked: string[] = [];
let measuring = false;
let held: { at: string; until: Promise<undefined>; reach: () => void } | undefined;
const graph = tinyGraph(async (text) => {
  worked.push(text);
  if (held?.at === text) {
    held.reach();
    await held.until;
  }
  if (measuring) await sleep(ITEM_MS);
});

let stack: Stack;
beforeAll(async () => {
  stack = await startGraph(graph, ['relay', 'tracker', 'split-lines', 'uppercase']);
});

/** Measures the time from the upload of one line to the completed event, in ms. @param landed Called when the line is queued. */
async function measureRequest(text: string, landed = (): void => undefined): Promise<number> {
  const request = requestMetadata(stack, uniqueId());
  const once = (subject: string, callback: () => void): void =>
    void stack.bus.connection.subscribe(subject, { callback, max: 1 });
  once(`fave.landed.line.first.${request.id}`, landed);
  const completed = new Promise<number>((resolve) => {
    once(`fave.requests.${request.id}.completed`, () => resolve(performance.now()));
  });
  await stack.bus.connection.flush();
  const startedAt = performance.now();
  await request.put(text, { memo: 'false' });
  return (await completed) - startedAt;
}

it(
  'completes a short request behind a long one within twice its idle time plus one item',
  { timeout: 120_000 + LONG_LINES * 200 },
  async () => {
    measuring = true;
    const idle = await measureRequest('idle');
    measuring = false;

    const released = Promise.withResolvers<undefined>();
    // The first lane of the long request is empty after eight of its lines and one of the rest.
    const reached = new Promise<void>((reach) => (held = { at: 'long 10', until: released.promise, reach }));
    const long = requestMetadata(stack, uniqueId());
    await long.put(Array.from({ length: LONG_LINES }, (_, n) => `long ${n + 1}`).join('\n'), { memo: 'false' });
    await reached;
    // All lines are queued.
    await vi.waitUntil(async () => (await long.progress('split-lines')).length === 1, { ...WAIT, timeout: 60_000 });

    measuring = true;
    // Worst case: the current item has just started.
    const behind = await measureRequest('short', () => released.resolve(undefined));
    measuring = false;
    console.info(`behind ${LONG_LINES} items: ${behind.toFixed(0)} ms, idle ${idle.toFixed(0)} ms, an item ${ITEM_MS} ms`);
    expect(behind).toBeLessThanOrEqual(2 * idle + ITEM_MS);
    // The line waits for the current item, and each eighth turn belongs to the rest.
    expect(worked.indexOf('short') - worked.indexOf('long 10')).toBeLessThanOrEqual(2);

    await vi.waitUntil(async () => (await long.ends()) > 0, { timeout: 60_000 + LONG_LINES * 200, interval: 500 });
    expect(await long.ended()).toMatchObject({ status: 'completed', errors: [], outputs: { 'upper-line': LONG_LINES } });
  },
);

it('processes a request of 20 items before the later items of a longer request', { timeout: 120_000 }, async () => {
  const hold = (at: string): { reached: Promise<void>; release: () => void } => {
    const released = Promise.withResolvers<undefined>();
    const reached = new Promise<void>((reach) => (held = { at, until: released.promise, reach }));
    return { reached, release: () => released.resolve(undefined) };
  };
  const queued = ({ progress }: ReturnType<typeof requestMetadata>): Promise<boolean> =>
    vi.waitUntil(async () => (await progress('split-lines')).length === 1, { ...WAIT, timeout: 60_000 });

  const start = hold('large 1');
  const large = requestMetadata(stack, uniqueId());
  await large.put(Array.from({ length: 100 }, (_, n) => `large ${n + 1}`).join('\n'), { memo: 'false' });
  await start.reached;
  await queued(large);
  // The first 64 lines and some later ones have been processed when this line is.
  const later = hold('large 70');
  start.release();
  await later.reached;
  const medium = requestMetadata(stack, uniqueId());
  await medium.put(Array.from({ length: 20 }, (_, n) => `medium ${n + 1}`).join('\n'), { memo: 'false' });
  await queued(medium);
  later.release();
  await medium.ended();
  const between = worked.slice(worked.indexOf('large 70'), worked.indexOf('medium 20'));
  // The item in progress, and each eighth turn of a later lane.
  expect(between.filter((text) => text.startsWith('large')).length).toBeLessThanOrEqual(1 + Math.ceil(20 / 7));
  expect(await large.ended()).toMatchObject({ status: 'completed' });
});
