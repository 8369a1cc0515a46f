import { describe, expect, it } from 'vitest';
import type { RequestEvent } from '../../../shared/bus/request-events.ts';
import { selectRun, type RequestRuns } from '../../../shared/requests/early-runs.ts';
import { createRunState } from '../../../shared/requests/run-state.ts';

const lifecycle = (name: string, run: number): RequestEvent => ({
  type: 'lifecycle',
  name,
  time: '2026-01-01T00:00:00.000Z',
  data: { request_id: 'r', run, status: 'running' },
});

describe('selectRun', () => {
  it.each([
    ['accepted', 2],
    ['completed', 2],
    ['cancelled', 2],
    ['redriven', 1],
    ['rejected', 1],
  ])('applies an event %s of a later run to that run; the latest run is then %i', (name, latest) => {
    const runs: RequestRuns = { latest: createRunState('r', 1), early: new Map() };
    expect(selectRun(runs, lifecycle(name, 2))?.run).toBe(2);
    expect(runs.latest.run).toBe(latest);
  });
});
