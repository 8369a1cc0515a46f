import type { ItemEvent } from '../../../schemas/generated/types.ts';
import { publishDeadLetter } from '../../bus/dead-letters.ts';
import { publishItemEvent } from '../../bus/events.ts';
import { announce } from '../../bus/landed-message.ts';
import { codeOf, messageOf } from '../../core/errors.ts';
import type { Metrics } from '../service/metrics.ts';
import type { Attempt } from './attempt.ts';
import { toErrorResult, type AttemptResult, type UnsettledOutcome } from './attempt-result.ts';
import { toItemEvent } from './item-event.ts';
import { recordMemo } from './memo.ts';
import { toReceipt, writeReceipt } from './receipt.ts';
import type { WorkerDependencies } from './worker-dependencies.ts';

type Unsettled = Extract<AttemptResult, { outcome: UnsettledOutcome }>;
type Settled = Exclude<AttemptResult, Unsettled>;

/**
 * Records the result of an attempt before its delivery is acknowledged. Returns the result; if success could not be recorded,
 * the result of that error.
 * @throws Error if a failure cannot be recorded. The message must then stay unacknowledged, so that it is redelivered.
 */
export async function recordResult(worker: WorkerDependencies, attempt: Attempt, result: AttemptResult): Promise<AttemptResult> {
  if (!isSettled(result)) return recordUnsettled(worker, attempt, result);
  try {
    await recordSettled(worker, attempt, result);
    return result;
  } catch (error) {
    if (result.outcome === 'failed') throw error;
    return recordResult(worker, attempt, toErrorResult(error, attempt, worker.killSignal));
  }
}

/**
 * The order is part of the contract (docs/reliability.md): a redelivery continues after the last effect that the store or the bus
 * has. Without a receipt the item is processed again; with one, dead letter and event are published under the same ids.
 */
async function recordSettled(worker: WorkerDependencies, attempt: Attempt, result: Settled): Promise<void> {
  const { bus, store, metrics, background, killSignal, shutdownSignal } = worker;
  const { stage, landed, itemId, delivery, span } = attempt;
  const error = result.outcome === 'failed' ? result.error : undefined;

  const hasReceipt = result.outcome === 'skipped' || (result.outcome === 'failed' && result.hasReceipt);
  if (!hasReceipt) await writeReceipt(store, landed.request_id, toReceipt(attempt, error), killSignal);

  const { deliveries, sequence } = delivery;
  if (error) await publishDeadLetter(bus, { stage: stage.name, item: itemId, error, deliveries, sequence, landed });

  const event = toItemEvent(attempt, result.outcome, error);
  await publishItemEvent(bus, stage.name, event, { traceparent: span.traceparent });

  reportItem(metrics, attempt, event);

  const memoHash = result.outcome === 'done' ? result.memoHash : undefined;
  if (memoHash !== undefined)
    background.schedule(
      () => recordMemo(store, attempt, memoHash, shutdownSignal),
      'other requests cannot reuse the outputs of this item',
    );
}

async function recordUnsettled({ bus, store }: WorkerDependencies, attempt: Attempt, result: Unsettled): Promise<Unsettled> {
  const { log, landed, delivery } = attempt;
  const { outcome, error } = result;
  log.warn({ event: `item:${outcome}`, error, code: codeOf(error), deliveries: delivery.deliveries }, messageOf(error));
  if (outcome === 'requeued') await announce(bus, store.bucket, landed, { nonce: `${delivery.sequence}` });
  return result;
}

function isSettled(result: AttemptResult): result is Settled {
  return ['done', 'reused', 'skipped', 'failed'].includes(result.outcome);
}

/** Counts and logs a settled item. */
function reportItem(metrics: Metrics, { stage, log, memoryLimitMb }: Attempt, event: ItemEvent): void {
  const { outcome, error, outputs, duration_ms, queue_ms, cold_start, cost_unit, deliveries } = event;
  const labels = { stage: stage.name, outcome };
  metrics.items.inc(labels);
  metrics.duration.observe(labels, duration_ms / 1_000);
  metrics.queue.observe({ stage: stage.name }, queue_ms / 1_000);
  metrics.cost.inc({ stage: stage.name }, cost_unit);
  if (cold_start) metrics.coldStarts.inc({ stage: stage.name });
  if (error) metrics.deadLetters.inc({ stage: stage.name });
  const fields = {
    cold_start,
    duration_ms,
    queue_ms,
    memory_limit_mb: memoryLimitMb,
    cost_unit,
    deliveries,
    outputs: outputs.length,
  };
  if (error) log.error({ event: 'item:failed', ...fields, code: error.code, stderr: error.stderr }, error.message);
  else log.info({ event: `item:${outcome}`, ...fields });
}
