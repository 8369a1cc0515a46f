import type { ColdStartParts } from '../../schemas/generated/types.ts';
import type { FirstItemMessage, ReadyMessage } from '../../shared/runtime/service/service.ts';

/** Why a process was started. Times are in milliseconds. */
export interface Cause {
  /** Time of the decision, since the epoch. */
  readonly decided: number;
  /** Time that the oldest item had waited until the decision. Without it, it follows from the wait of the first item. */
  readonly waited?: number;
}

/** Computes the parts of a cold start from the messages of a process. */
export function computeColdStart(
  ready: Omit<ReadyMessage, 'type' | 'http' | 'ready_ms'>,
  item: Omit<FirstItemMessage, 'type'>,
  { decided, waited }: Cause,
): ColdStartParts {
  return {
    decision_ms: waited ?? Math.max(0, decided - (item.time - item.queue_ms)),
    spawn_ms: Math.max(0, Math.round(ready.started - decided)),
    imports_ms: ready.imports_ms,
    connections_ms: ready.connections_ms,
    model_ms: ready.model_ms ?? 0,
    // An item that arrived later did not wait for this process.
    first_item_ms: Math.max(0, Math.min(item.time - ready.time, item.queue_ms)),
  };
}
