import { expect, it } from 'vitest';
import { computeColdStart } from '../../../infra/scaler/cold-start.ts';
import { busySlots } from '../../../infra/scaler/scale-down-order.ts';
import { validate } from '../../../shared/core/validate.ts';

const decided = Date.parse('2026-01-01T00:00:00.000Z');
const ready = { time: decided + 1_000, started: decided + 50, imports_ms: 300, connections_ms: 100, model_ms: 500 };
const item = { time: decided + 1_040, queue_ms: 2_000 };

it('combines the decision with the messages of the process', () => {
  const cold_start = computeColdStart(ready, item, { decided, waited: 900 });
  expect(cold_start).toEqual({
    decision_ms: 900,
    spawn_ms: 50,
    imports_ms: 300,
    connections_ms: 100,
    model_ms: 500,
    first_item_ms: 40,
  });
  expect(validate('scaleEvent', { time: '2026-01-01T00:00:01.040Z', stage: 's', event: 'first-item', cold_start })).toBeTruthy();
});

it('derives the wait before the decision from the first item', () => {
  expect(computeColdStart(ready, item, { decided }).decision_ms).toBe(960);
});

it('excludes the time in which no item was queued', () => {
  expect(computeColdStart(ready, { time: decided + 60_000, queue_ms: 7 }, { decided }).first_item_ms).toBe(7);
});

it('reads the number of items in progress from the metrics of a replica', () => {
  const text = (n: number): string => `# TYPE fave_busy_slots gauge\nfave_busy_slots{stage="a",service="a"} ${n}\nfave_x 9\n`;
  expect([text(0), text(2), ''].map(busySlots)).toEqual([0, 2, 0]);
});
