import type { ColdStartParts } from '../../schemas/generated/types.ts';

/** Why a process was started. */
export interface Cause {
  /** Milliseconds since 1970. */
  readonly decided: number;
  /** Milliseconds that the oldest item had waited by then; where nobody knows, the first item's own wait is taken. */
  readonly waited?: number;
}

interface Line {
  readonly event?: string;
  readonly timestamp: string;
  /** When the process began, milliseconds since 1970. */
  readonly started: number;
  readonly imports_ms: number;
  readonly connections_ms: number;
  readonly model_ms: number;
  readonly cold_start?: boolean;
  readonly queue_ms: number;
}

/** What a process's log tells of its start. @returns undefined until its first item has begun. */
export function coldStartOf(log: string, { decided, waited }: Cause): { time: string; cold_start: ColdStartParts } | undefined {
  const lines = completeLines(log);
  const ready = lines.find(({ event }) => event === 'service:ready');
  const item = lines.find(({ event, cold_start }) => event === 'item:start' && cold_start === true);
  if (!ready || !item) return undefined;
  const sinceReady = Date.parse(item.timestamp) - Date.parse(ready.timestamp);
  return {
    time: item.timestamp,
    cold_start: {
      decision_ms: waited ?? Math.max(0, decided - (Date.parse(item.timestamp) - item.queue_ms)),
      spawn_ms: Math.max(0, Math.round(ready.started - decided)),
      imports_ms: ready.imports_ms,
      connections_ms: ready.connections_ms,
      model_ms: ready.model_ms,
      // An item that came later did not wait for this process.
      first_item_ms: Math.max(0, Math.min(sinceReady, item.queue_ms)),
    },
  };
}

/** Lines of a process's log; the last one may be half written. */
function completeLines(log: string): Line[] {
  const complete = log.split('\n').slice(0, -1);
  return complete.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Line);
}
