import type { ItemRecord, LoadRecord, LoadStage } from '../../schemas/generated/types.ts';
import type { Video } from '../arrivals/mix.ts';

/** A planned request. */
export interface ScheduledRequest {
  /** Position in the order of planned arrivals. */
  readonly index: number;
  readonly id: string;
  readonly video: Video;
  /** Planned arrival, in ms since the epoch. */
  readonly intended: number;
  /** Index of the user in a closed loop. */
  readonly user?: number;
}

/** State of a sent request. Numbers are in ms since the epoch; strings are event times. */
export interface PendingRequest extends ScheduledRequest {
  readonly sent: number;
  uploaded?: number;
  accepted?: string;
  end?: { readonly time?: string; readonly status: Exclude<LoadRecord['status'], 'unfinished'>; readonly error?: string };
  /** Items by stage and item id. */
  readonly items: Map<string, ItemRecord>;
}

/** Converts a finished or abandoned request to its record. */
export function toLoadRecord({
  id,
  index,
  user,
  video,
  intended,
  sent,
  uploaded,
  accepted,
  end,
  items,
}: PendingRequest): LoadRecord {
  const stages = stagesOf([...items.values()]);
  const sum = (of: (stage: LoadStage) => number): number => Object.values(stages).reduce((total, stage) => total + of(stage), 0);
  const failed = sum((stage) => stage.failed);
  const arrival = toIsoTime(intended);
  return {
    request_id: id,
    index,
    ...(user !== undefined && { user }),
    video: video.name,
    size: video.size,
    intended: arrival,
    sent: toIsoTime(sent),
    uploaded: uploaded === undefined ? null : toIsoTime(uploaded),
    accepted: accepted ?? null,
    completed: end?.time ?? null,
    status: end?.status ?? 'unfinished',
    // Whole milliseconds, so the latency equals the difference of the recorded times.
    latency_ms: end?.time === undefined ? null : Date.parse(end.time) - Date.parse(arrival),
    late_ms: rounded(Math.max(0, sent - intended)),
    ...(end?.error !== undefined && { error: end.error }),
    ...(failed > 0 && { errors: failed }),
    cold_starts: sum((stage) => stage.cold_starts),
    cost_unit: rounded(sum((stage) => stage.cost_unit)),
    stages,
  };
}

function stagesOf(items: readonly ItemRecord[]): Record<string, LoadStage> {
  const stages: Record<string, LoadStage> = {};
  for (const { stage, outcome, deliveries, cold_start, queue_ms, duration_ms, cost_unit } of items) {
    const before = stages[stage] ?? EMPTY;
    stages[stage] = {
      items: before.items + 1,
      failed: before.failed + Number(outcome === 'failed'),
      reused: before.reused + Number(outcome === 'reused'),
      redelivered: before.redelivered + Number(deliveries > 1),
      cold_starts: before.cold_starts + Number(cold_start),
      queue_ms: rounded(before.queue_ms + queue_ms),
      duration_ms: rounded(before.duration_ms + duration_ms),
      cost_unit: rounded(before.cost_unit + cost_unit),
    };
  }
  return stages;
}

const EMPTY: LoadStage = {
  items: 0,
  failed: 0,
  reused: 0,
  redelivered: 0,
  cold_starts: 0,
  queue_ms: 0,
  duration_ms: 0,
  cost_unit: 0,
};

function toIsoTime(time: number): string {
  return new Date(time).toISOString();
}

/** Removes floating-point noise from sums. */
function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
