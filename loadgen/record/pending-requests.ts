import type { ItemRecord, RequestState, LoadRecord, ItemEvent } from '../../schemas/generated/types.ts';
import { codeOf, messageOf } from '../../shared/core/errors.ts';
import type { RequestEvent } from '../../shared/bus/request-events.ts';
import type { Clock } from '../arrivals/clock.ts';
import { toLoadRecord, type PendingRequest, type ScheduledRequest } from './load-record.ts';

export interface Totals {
  readonly sent: number;
  readonly open: number;
  readonly completed: number;
  /** Number of requests that failed, were rejected, or were not uploaded. */
  readonly failed: number;
  readonly latencies: readonly number[];
}

/** State of all open requests. A request is closed and recorded when its upload and its run have ended. */
export interface PendingRequests {
  sent(due: ScheduledRequest): void;
  uploaded(id: string): void;
  uploadFailed(id: string, error: unknown): void;
  apply(event: RequestEvent): void;
  /** Resolves after a request is closed. */
  closed(id: string): Promise<void>;
  /** Resolves after all requests are closed. */
  empty(): Promise<void>;
  /** Closes open requests as `unfinished`. */
  giveUp(): void;
  totals(): Totals;
}

/** Creates the state of open requests. @param close Receives the record of each closed request and of its items. */
export function createPendingRequests(
  clock: Clock,
  close: (record: LoadRecord, items: readonly ItemRecord[]) => void,
): PendingRequests {
  const open = new Map<string, PendingRequest & { closed: () => void; over: Promise<void> }>();
  const latencies: number[] = [];
  const counts = { sent: 0, completed: 0, failed: 0 };
  let emptied: (() => void) | undefined;

  const end = (id: string): void => {
    const entry = open.get(id);
    if (!entry) return;
    open.delete(id);
    const record = toLoadRecord(entry);
    if (record.status === 'completed') counts.completed += 1;
    else if (record.status !== 'unfinished') counts.failed += 1;
    if (record.latency_ms !== null) latencies.push(record.latency_ms);
    close(record, [...entry.items.values()]);
    entry.closed();
    if (open.size === 0) emptied?.();
  };
  const endWhenOver = (id: string, entry: PendingRequest): void => {
    if (entry.uploaded !== undefined && entry.end) end(id);
  };

  return {
    sent(due) {
      let closed = (): void => undefined;
      const over = new Promise<void>((resolve) => (closed = resolve));
      open.set(due.id, { ...due, sent: clock.now(), items: new Map(), closed, over });
      counts.sent += 1;
    },
    uploaded(id) {
      const entry = open.get(id);
      if (!entry) return;
      entry.uploaded = clock.now();
      endWhenOver(id, entry);
    },
    uploadFailed(id, error) {
      const entry = open.get(id);
      if (!entry) return;
      entry.end = { status: 'error', error: `${codeOf(error)}: ${messageOf(error)}` };
      end(id);
    },
    apply(event) {
      const entry = open.get(event.data.request_id);
      if (!entry) return;
      if (event.type === 'item') applyItemEvent(entry, event.time, event.data);
      else applyLifecycleEvent(entry, event.name, event.time, event.data);
      endWhenOver(event.data.request_id, entry);
    },
    closed: async (id) => open.get(id)?.over,
    empty: () => (open.size === 0 ? Promise.resolve() : new Promise((resolve) => (emptied = resolve))),
    giveUp: () => [...open.keys()].forEach(end),
    totals: () => ({ ...counts, open: open.size, latencies }),
  };
}

function applyItemEvent(entry: PendingRequest, time: string, progress: ItemEvent): void {
  const { request_id, stage, item, outcome, deliveries, queue_ms, duration_ms, cold_start, cost_unit } = progress;
  const name = `${stage}/${item}`;
  // A redelivery can repeat an event. Only a later success replaces a failure.
  if ((entry.items.get(name)?.outcome ?? 'failed') !== 'failed') return;
  entry.items.set(name, { time, request_id, stage, item, outcome, deliveries, queue_ms, duration_ms, cold_start, cost_unit });
}

function applyLifecycleEvent(entry: PendingRequest, name: string, time: string, { status, errors = [] }: RequestState): void {
  if (name === 'accepted') entry.accepted = time;
  else if (status === 'completed' || status === 'failed' || status === 'rejected' || status === 'cancelled') {
    const [first] = errors;
    const error = first
      ? `${first.code}: ${first.message}`
      : status === 'cancelled'
        ? 'cancelled: a user cancelled the request'
        : undefined;
    entry.end = { time, status: status === 'cancelled' ? 'failed' : status, ...(error !== undefined && { error }) };
  }
}
