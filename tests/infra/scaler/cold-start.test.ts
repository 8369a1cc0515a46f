import { expect, it } from 'vitest';
import { coldStartOf } from '../../../infra/scaler/cold-start.ts';
import { busySlots } from '../../../infra/scaler/scale-down-order.ts';
import { validate } from '../../../shared/core/validate.ts';

const ready = {
  event: 'service:ready',
  timestamp: '2026-01-01T00:00:01.000Z',
  started: Date.parse('2026-01-01T00:00:00.050Z'),
  imports_ms: 300,
  connections_ms: 100,
  model_ms: 500,
};
const item = { event: 'item:start', timestamp: '2026-01-01T00:00:01.040Z', cold_start: true, queue_ms: 2_000 };
const cause = { decided: Date.parse('2026-01-01T00:00:00.000Z'), waited: 900 };
const log = (...lines: object[]): string => ['warning', ...lines.map((line) => JSON.stringify(line)), ''].join('\n');

it('the parts of a cold start are put together from the decision and the replica’s own log', () => {
  const found = coldStartOf(log(ready, { event: 'other' }, item, { ...item, cold_start: false }), cause);
  expect(found).toEqual({
    time: item.timestamp,
    cold_start: { decision_ms: 900, spawn_ms: 50, imports_ms: 300, connections_ms: 100, model_ms: 500, first_item_ms: 40 },
  });
  expect(validate('scaleEvent', { stage: 's', event: 'first-item', ...found })).toBeTruthy();
});

it('waiting for work that was not there yet is no part of it', () => {
  const late = { ...item, timestamp: '2026-01-01T00:01:00.000Z', queue_ms: 7 };
  expect(coldStartOf(log(ready, late), cause)?.cold_start.first_item_ms).toBe(7);
});

it('before the first item, and while its line is being written, there is none', () => {
  expect(coldStartOf(log(ready), cause)).toBeUndefined();
  expect(coldStartOf(log(ready, item).trimEnd(), cause)).toBeUndefined();
});

it('a replica’s metrics tell whether it works', () => {
  const text = (n: number): string => `# TYPE fave_busy_slots gauge\nfave_busy_slots{stage="a",service="a"} ${n}\nfave_x 9\n`;
  expect([text(0), text(2), ''].map(busySlots)).toEqual([0, 2, 0]);
});
