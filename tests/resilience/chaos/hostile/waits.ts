import type { ItemEvent } from '../../../../schemas/generated/types.ts';
import { laneOf } from '../../../../shared/bus/topology.ts';

/** The event of a settled item and the time of the event (ms since the epoch). */
export interface SettledItem extends Pick<ItemEvent, 'request_id' | 'stage' | 'item' | 'queue_ms' | 'duration_ms'> {
  readonly settledAtMs: number;
}

/** Items that a worker of the stage started while an item of a request waited. */
export interface Wait {
  readonly stage: string;
  readonly item: string;
  readonly waitedMs: number;
  /** Items of the first lane. */
  readonly first: number;
  /** Items of later lanes, which should get each eighth turn. */
  readonly later: number;
}

/** Turns of a later lane: one of eight. */
const LATER_INTERVAL = 8;

/** Returns the waits of the items of a request of up to eight clips. The item in progress at the announcement does not count. */
export function computeWaits(items: readonly SettledItem[], requestId: string): Wait[] {
  const startOf = ({ settledAtMs, duration_ms }: SettledItem): number => settledAtMs - duration_ms;
  return items
    .filter(({ request_id }) => request_id === requestId)
    .map((own) => {
      const [announced, started] = [startOf(own) - own.queue_ms, startOf(own)];
      const overtaking = items.filter(
        (item) => item.stage === own.stage && item !== own && startOf(item) > announced && startOf(item) < started,
      );
      const later = overtaking.filter(({ item }) => laneOfItem(item) !== 'first').length;
      return { stage: own.stage, item: own.item, waitedMs: own.queue_ms, first: overtaking.length - later, later };
    });
}

/** Returns whether later lanes got no more turns than one of eight, with one turn more for the position of the count. */
export function isFair({ first, later }: Wait): boolean {
  return later <= 1 + Math.ceil(first / (LATER_INTERVAL - 1));
}

/** Returns the lane of an item by its id. */
export function laneOfItem(item: string): string {
  const [, name, number] = /^(clip|batch)_(\d{4})/.exec(item) ?? [];
  return laneOf(name === undefined ? {} : { [name]: Number(number) });
}
