import type { OptionMap } from '../../core/options.ts';
import type { Delivery } from '../delivery/delivery.ts';
import type { StageRun } from '../workdir/stage-run.ts';

/** One attempt at an item. Only its `record` changes. */
export interface Attempt extends StageRun {
  readonly delivery: Delivery;
  /** Start on the process's monotonic clock (ms). */
  readonly startedAt: number;
  readonly startedOn: Date;
  /** Whether it is the first attempt of its process. */
  readonly cold: boolean;
  readonly config: StageConfig;
  readonly memoryLimitMb: number;
}

/** Options and settings of a stage. With the source they determine the outputs of an item. */
export interface StageConfig {
  readonly values: OptionMap;
  readonly hash: string;
}

/** Returns the time between the announcement of the item and the start of the attempt, in milliseconds. */
export function queueMsOf({ startedAt, delivery }: Pick<Attempt, 'startedAt' | 'delivery'>): number {
  return Math.max(0, Math.round(performance.timeOrigin + startedAt - delivery.storedAtMs));
}
