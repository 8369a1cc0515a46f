import { computeColdStart, type Cause } from '../../../infra/scaler/cold-start.ts';
import type { ColdStartParts } from '../../../schemas/generated/types.ts';

interface Line {
  readonly event?: string;
  readonly timestamp: string;
  readonly started: number;
  readonly imports_ms: number;
  readonly connections_ms: number;
  readonly model_ms: number;
  readonly cold_start?: boolean;
  readonly queue_ms: number;
}

/** Computes the cold start of a pod from its log. The launcher receives the same data over IPC. @returns undefined before the first item. */
export function parseColdStart(log: string, cause: Cause): { time: string; cold_start: ColdStartParts } | undefined {
  // The last line may be incomplete.
  const complete = log.split('\n').slice(0, -1);
  const lines = complete.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Line);
  const ready = lines.find(({ event }) => event === 'service:ready');
  const item = lines.find(({ event, cold_start }) => event === 'item:start' && cold_start === true);
  if (!ready || !item) return undefined;
  const timed = (line: Line) => ({ ...line, time: Date.parse(line.timestamp) });
  return { time: item.timestamp, cold_start: computeColdStart(timed(ready), timed(item), cause) };
}
