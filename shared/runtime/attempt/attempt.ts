import { setMaxListeners } from 'node:events';
import type { LandedMessage, ItemEvent, Receipt } from '../../../schemas/generated/types.ts';
import { codeOf, FaveError, messageOf } from '../../core/errors.ts';
import { requestPrefix } from '../../pipeline/keys.ts';
import type { Logger } from '../../observability/log.ts';
import type { OptionMap } from '../../core/options.ts';
import type { LoadedStage } from '../../pipeline/stage.ts';
import { startSpan, type SpanHandle } from '../../observability/trace.ts';
import type { Delivery } from '../delivery/delivery.ts';
import type { ReceiptOutput } from '../workdir/outputs.ts';
import type { StageConfig } from './receipt.ts';

/** One attempt at an item: what is known of it, and what it has made so far. */
export interface Attempt {
  readonly stage: LoadedStage;
  readonly landed: LandedMessage;
  readonly item: string;
  readonly delivery: Delivery;
  /** On the process's clock, milliseconds. */
  readonly begun: number;
  readonly started: Date;
  readonly cold: boolean;
  /** Of the request, those that the stage knows, with their defaults. */
  readonly options: OptionMap;
  readonly config: StageConfig;
  readonly log: Logger;
  /** What the outputs are made in. */
  readonly span: SpanHandle;
  readonly memoryLimitMb: number;
  /** Ends the attempt: deadline, cancellation or the end of the process's grace. */
  readonly abort: AbortController;
  readonly outputs: ReceiptOutput[];
  readonly tools: Receipt['tools'];
  readonly models: Record<string, string>;
  /** The request whose equal work was copied. */
  reused?: string;
}

export type NewAttempt = Omit<Attempt, 'abort' | 'begun' | 'started' | 'span' | 'outputs' | 'tools' | 'models'>;

export function beginAttempt(about: NewAttempt): Attempt {
  const abort = new AbortController();
  // Every request to the store and every tool of the item listens; more than ten is no leak.
  setMaxListeners(0, abort.signal);
  const { stage, landed, item, delivery, cold } = about;
  const span = startSpan(stage.name, landed.traceparent, {
    kind: 'consumer',
    attributes: {
      'fave.request_id': landed.request_id,
      'fave.run': landed.run,
      'fave.item': item,
      'fave.deliveries': delivery.deliveries,
      'fave.cold_start': cold,
    },
  });
  return { ...about, span, abort, begun: performance.now(), started: new Date(), outputs: [], tools: [], models: {} };
}

/** Ends an attempt's span with what came of it; `lost` where nothing could be told of it. */
export function endSpan(attempt: Attempt, { outcome, error }: { outcome: string; error?: unknown }): void {
  const bytes = attempt.outputs.reduce((sum, { size }) => sum + size, 0);
  const { length } = attempt.outputs;
  const attributes = {
    'fave.outcome': outcome,
    'fave.queue_ms': queueOf(attempt),
    'fave.outputs': length,
    'fave.output_bytes': bytes,
  };
  attempt.span.end(attributes, error === undefined ? undefined : messageOf(error));
}

/** Milliseconds from announced to begun. */
export function queueOf({ begun, delivery }: Pick<Attempt, 'begun' | 'delivery'>): number {
  return Math.max(0, Math.round(performance.timeOrigin + begun - delivery.storedAtMs));
}

/** What the tracker and people are told about a settled item. */
export function progressOf(attempt: Attempt, outcome: ItemEvent['outcome'], error?: ItemEvent['error']): ItemEvent {
  const { stage, landed, item, begun, delivery, cold, outputs, memoryLimitMb } = attempt;
  const duration = millisecondsSince(begun);
  return {
    request_id: landed.request_id,
    run: landed.run,
    stage: stage.name,
    item,
    outcome,
    outputs: outputs.filter(({ announced }) => announced).map(({ kind, item: of, key, etag }) => ({ kind, item: of, key, etag })),
    ...(error && { error, sequence: delivery.sequence }),
    deliveries: delivery.deliveries,
    duration_ms: duration,
    queue_ms: queueOf(attempt),
    cold_start: cold,
    cost_unit: ((duration / 1_000) * memoryLimitMb) / 1_024,
  };
}

export function receiptOf(attempt: Attempt, error?: ItemEvent['error']): Omit<Receipt, 'host'> {
  const { stage, landed, item, config, outputs, tools, models, started, begun, reused } = attempt;
  const { kind, etag, sha256 } = landed;
  return {
    stage: stage.name,
    version: stage.version,
    item,
    run: landed.run,
    sequence: attempt.delivery.sequence,
    source: { kind, key: pathIn(landed), etag, ...(sha256 !== undefined && { sha256 }) },
    config: config.values,
    config_hash: config.hash,
    outcome: error ? 'failed' : 'done',
    ...(reused !== undefined && { reused }),
    outputs,
    ...(error && { error }),
    tools,
    models,
    started: started.toISOString(),
    duration_ms: millisecondsSince(begun),
  };
}

/** An error in the words of events, receipts and dead letters. */
export function itemError(error: unknown, landed: LandedMessage): NonNullable<ItemEvent['error']> {
  return {
    code: codeOf(error),
    message: messageOf(error),
    file: pathIn(landed),
    ...(error instanceof FaveError && error.stderr && { stderr: error.stderr }),
  };
}

/** Path of the landed object below its request's prefix. */
function pathIn(landed: LandedMessage): string {
  return landed.key.slice(requestPrefix(landed.request_id).length);
}

/** Milliseconds since `begun` on the process's clock, to a tenth. */
export function millisecondsSince(begun: number): number {
  return Math.round((performance.now() - begun) * 10) / 10;
}
