import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createStateWriter, type StateWriter } from '../../../services/tracker/state-writer.ts';
import type { RequestState } from '../../../schemas/generated/types.ts';
import { createLogger } from '../../../shared/observability/log.ts';

const state = (cost_unit: number): RequestState => ({ request_id: 'r', run: 1, status: 'running', cost_unit });

/** Costs of the states that the store received, in the order of their writes. */
let written: number[];
let failures: number;
/** Keys of existing objects. */
let existing: Set<string>;
let removed: string[];
let writer: StateWriter;

beforeEach(() => {
  vi.useFakeTimers();
  written = [];
  failures = 0;
  existing = new Set(['requests/r/metadata/request.json']);
  removed = [];
  const put = (_key: string, text: string) => {
    if (failures > 0) {
      failures -= 1;
      return Promise.reject(new Error('access denied'));
    }
    written.push((JSON.parse(text) as RequestState).cost_unit!);
    return Promise.resolve({ etag: 'e' });
  };
  const head = (key: string) => Promise.resolve(existing.has(key) ? { key, etag: 'e', size: 1, headers: {} } : undefined);
  const onRemoved = (id: string): void => void removed.push(id);
  writer = createStateWriter({ store: { put, head }, log: createLogger({}, 'silent'), onRemoved }, new AbortController().signal);
  return () => void vi.useRealTimers();
});

describe('createStateWriter', () => {
  it('writes only the last of several states that are scheduled within the interval', async () => {
    for (const cost of [1, 2, 3]) writer.schedule('r', () => state(cost));
    await vi.advanceTimersByTimeAsync(499);
    expect(written).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(written).toEqual([3]);
  });

  it('retries a failed write with increasing delays until it succeeds', async () => {
    failures = 2;
    writer.schedule('r', () => state(1));
    await vi.advanceTimersByTimeAsync(500 + 999);
    expect(failures).toBe(1);
    await vi.advanceTimersByTimeAsync(1 + 1_999);
    expect([written, failures]).toEqual([[], 0]);
    await vi.advanceTimersByTimeAsync(1);
    expect(written).toEqual([1]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(written).toEqual([1]);
  });

  it('does not retry a state that a later one has replaced', async () => {
    failures = 1;
    writer.schedule('r', () => {
      writer.schedule('r', () => state(2));
      return state(1);
    });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(written).toEqual([2]);
  });

  it('writes one state after another', async () => {
    writer.schedule('r', () => state(1));
    const flushed = writer.flush();
    await writer.write('r', state(2));
    await flushed;
    expect(written).toEqual([1, 2]);
  });

  it('rejects a direct write that fails, and continues', async () => {
    failures = 1;
    await expect(writer.write('r', state(1))).rejects.toThrow('access denied');
    await writer.write('r', state(2));
    expect(written).toEqual([2]);
  });

  it('writes no state of a request that was removed, and reports it', async () => {
    existing.clear();
    expect(await writer.write('r', state(1))).toBe(false);
    expect([written, removed]).toEqual([[], ['r']]);
  });

  it('writes the state of a refused upload only while the upload exists and the request has no input', async () => {
    const refused = { ...state(1), status: 'rejected', input: 'requests/r/input/a.mp4' } as const;
    expect(await writer.write('r', refused)).toBe(false);
    existing = new Set([refused.input]);
    expect(await writer.write('r', refused)).toBe(true);
    existing.clear();
    expect(await writer.write('r', refused)).toBe(false);
    expect([written, removed]).toEqual([[1], []]);
  });

  it('skips a scheduled state that no longer applies', async () => {
    writer.schedule('r', () => undefined);
    await writer.flush();
    expect(written).toEqual([]);
  });
});
