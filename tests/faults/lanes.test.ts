import { beforeAll, expect, it } from 'vitest';
import { tinyGraph } from '../fixtures/tiny/graph.ts';
import { requestOf, setUpFor, start } from '../runtime/harness.ts';
import { ownStack, uniqueId, type Stack } from '../stack.ts';

/** Lines of the long request. */
const LONG = Number(process.env['FAVE_TEST_CLIPS'] ?? 100);

const worked: string[] = [];
let held: { at: string; until: Promise<void>; reach: () => void } | undefined;
const graph = tinyGraph(async (text) => {
  worked.push(text);
  if (held?.at !== text) return;
  held.reach();
  await held.until;
});

let stack: Stack;
beforeAll(async () => {
  stack = await ownStack();
  await setUpFor(stack, graph);
  for (const name of ['relay', 'tracker', 'cut', 'shout']) await start(stack, graph, name);
});

it(
  'a short request behind a long one waits for the item under way and one turn of the rest, not for the long one',
  { timeout: 120_000 },
  async () => {
    let release = (): void => undefined;
    const until = new Promise<void>((resolve) => (release = resolve));
    // The long request's first lane is done when its ninth line begins.
    const reached = new Promise<void>((reach) => (held = { at: 'long 9', until, reach }));
    const [long, short] = [requestOf(stack, uniqueId()), requestOf(stack, uniqueId())];
    const landed = new Promise<void>((resolve) => {
      stack.bus.connection.subscribe(`fave.landed.line.first.${short.id}`, { callback: () => resolve(), max: 1 });
    });
    await long.put(Array.from({ length: LONG }, (_, n) => `long ${n + 1}`).join('\n'), { memo: 'false' });
    await reached;
    await short.put('short', { memo: 'false' });
    await landed;
    release();
    expect(await short.ended()).toMatchObject({ status: 'completed', errors: [] });
    const behind = worked.slice(worked.indexOf('long 9') + 1);
    expect(behind.indexOf('short')).toBeGreaterThanOrEqual(0);
    // Every eighth turn is the rest's.
    expect(behind.indexOf('short')).toBeLessThanOrEqual(1);
    expect(await long.ended()).toMatchObject({ status: 'completed', errors: [], outputs: { loud: LONG } });
  },
);
