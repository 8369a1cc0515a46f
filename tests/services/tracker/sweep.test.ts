import { afterEach, expect, it, vi } from 'vitest';
import { graph } from '../../../services/pipeline.ts';
import type { RunRegistry } from '../../../services/tracker/run-registry.ts';
import { startSweeping } from '../../../services/tracker/sweep.ts';
import type { Config } from '../../../shared/config/config.ts';
import type { Service } from '../../../shared/runtime/service/service.ts';

const bus = { manager: { consumers: { info: () => Promise.resolve({ num_pending: 0, num_ack_pending: 0 }) } } };

afterEach(() => {
  vi.useRealTimers();
});

it.each<Config['events']>(['notifications', 'sweep'])(
  'with FAVE_EVENT_SOURCE=%s it looks as often as it was told to',
  async (events) => {
    vi.useFakeTimers();
    const folders = vi.fn(() => []);
    const service = { config: { events, sweepInterval: 300 }, bus, store: { folders }, stopping: new AbortController().signal };
    const sweeping = startSweeping(service as unknown as Service, graph, {} as RunRegistry);
    sweeping.begin();
    await vi.advanceTimersByTimeAsync(299_000);
    expect(folders).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(folders).toHaveBeenCalledTimes(2);
    sweeping.stop();
    vi.useRealTimers();
  },
);
