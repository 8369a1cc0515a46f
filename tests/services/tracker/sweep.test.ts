import { beforeAll, expect, it, vi } from 'vitest';
import { graph } from '../../../services/pipeline.ts';
import type { Config } from '../../../shared/config/config.ts';
import { REQUESTS_PREFIX } from '../../../shared/pipeline/keys.ts';
import { start } from '../../support/harness/runtime.ts';
import { createOwnStack, type Stack } from '../../support/stack.ts';
import { WAIT } from '../../support/wait.ts';

const INTERVAL_MS = 400;

let stack: Stack;
beforeAll(async () => {
  stack = await createOwnStack();
});

it.each<Config['eventSource']>(['notifications', 'sweep'])(
  'sweeps once per interval with FAVE_EVENT_SOURCE=%s',
  async (eventSource) => {
    const times: number[] = [];
    const store: Stack['store'] = {
      ...stack.store,
      listPrefixes: (prefix) => {
        if (prefix === REQUESTS_PREFIX) times.push(performance.now());
        return stack.store.listPrefixes(prefix);
      },
    };
    const tracker = await start({ ...stack, store }, graph, 'tracker', {
      eventSource,
      sweepIntervalSeconds: INTERVAL_MS / 1_000,
    });
    await vi.waitUntil(() => times.length >= 4, WAIT);
    await tracker.stop();
    const gaps = times.slice(1).map((time, n) => time - times[n]!);
    // Timers may fire one millisecond early.
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(INTERVAL_MS - 2);
    const sweeps = times.length;
    await new Promise((resolve) => setTimeout(resolve, 2 * INTERVAL_MS));
    expect(times).toHaveLength(sweeps);
  },
);
