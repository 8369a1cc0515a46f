import { setMaxListeners } from 'node:events';
import { codeOf, messageOf } from '../core/errors.ts';
import type { OptionMap } from '../core/options.ts';
import { consumerName, lanesOf, streams } from '../bus/topology.ts';
import { runInSpan } from '../observability/trace.ts';
import { loadStage, type AnyStage, type LoadedStage } from '../pipeline/stage.ts';
import { queueMsOf, type Attempt } from './attempt/attempt.ts';
import type { AttemptResult } from './attempt/attempt-result.ts';
import { createCancellations } from './attempt/cancellations.ts';
import { recordResult } from './attempt/record-result.ts';
import { runAttempt } from './attempt/run-attempt.ts';
import { InvalidMessageError, startAttempt } from './attempt/start-attempt.ts';
import type { WorkerDependencies } from './attempt/worker-dependencies.ts';
import type { Delivery } from './delivery/delivery.ts';
import { dispositionOf, settle } from './delivery/disposition.ts';
import { withHeartbeat } from './delivery/heartbeat.ts';
import { createLaneConsumer } from './delivery/lane-consumer.ts';
import { createBackgroundTasks } from './background-tasks.ts';
import { initializeItemMetrics } from './service/metrics.ts';
import { createRequestLog } from './service/request-log.ts';
import type { Service } from './service/service.ts';
import { createShutdown } from './service/shutdown.ts';
import { createRequestCache, guardWrites } from './request-cache.ts';

export interface WorkerContext extends Omit<Service, 'name' | 'ready'> {
  /** Values of the stage's settings. */
  readonly settings: OptionMap;
  /** Called when the worker starts to take items. */
  readonly ready: (start: { readonly model_ms: number }) => void;
}

/** Processes the items of a stage until `drainSignal` aborts; resolves when the last of them is settled. */
export async function runWorker(stage: AnyStage, context: WorkerContext): Promise<void> {
  const { bus, config, drainSignal, log, exec, settings } = context;
  const consumers = lanesOf(stage.consumes).map((lane) => consumerName(stage.name, lane));
  const startedAt = performance.now();
  const loaded = await loadStage(stage);
  const { worker, close } = createWorker(loaded, context, await loaded.start?.({ settings, log, exec }));
  context.ready({ model_ms: performance.now() - startedAt });
  const deliveries = createLaneConsumer(bus, streams.landed, consumers, log);
  const runSlot = async (): Promise<void> => {
    for (let delivery = await deliveries.next(drainSignal); delivery; delivery = await deliveries.next(drainSignal))
      await processDelivery(worker, delivery);
  };
  await Promise.all(Array.from({ length: config.concurrency }, runSlot));
  await close();
}

/** Takes a delivery through its attempt. Every effect happens before the acknowledgement, so a lost worker loses no item. */
async function processDelivery(worker: WorkerDependencies, delivery: Delivery): Promise<void> {
  const { stage, config, metrics, log } = worker;
  metrics.busy.inc({ stage: stage.name });
  if (delivery.deliveries > 1) metrics.redeliveries.inc({ stage: stage.name });
  try {
    await withHeartbeat(delivery, config.ackWaitSeconds, async () => {
      const attempt = startAttempt(worker, delivery);
      await withAttemptSpan(attempt, async () => {
        const result = await recordResult(worker, attempt, await runAttempt(worker, attempt));
        await settle(delivery, dispositionOf(result, delivery, config.retryFactor));
        return result;
      });
    });
  } catch (error) {
    log.error({ event: 'item:retry', error, code: codeOf(error), subject: delivery.subject }, messageOf(error));
    // Any other message stays unacknowledged and is redelivered after ack_wait.
    if (error instanceof InvalidMessageError) delivery.term(error.message.slice(0, 200));
  } finally {
    metrics.busy.dec({ stage: stage.name });
  }
}

/** Ends the attempt's span with its result; with the outcome `lost` if the result could not be recorded. */
async function withAttemptSpan(attempt: Attempt, use: () => Promise<AttemptResult>): Promise<void> {
  let result: AttemptResult | undefined;
  try {
    result = await runInSpan(attempt.span, use);
  } finally {
    const { outputs } = attempt.record;
    const attributes = {
      'fave.outcome': result?.outcome ?? 'lost',
      'fave.queue_ms': queueMsOf(attempt),
      'fave.outputs': outputs.length,
      'fave.output_bytes': outputs.reduce((sum, { size }) => sum + size, 0),
    };
    attempt.span.end(attributes, result && 'error' in result ? errorMessageOf(result) : undefined);
  }
}

function errorMessageOf(result: Extract<AttemptResult, { error: unknown }>): string | undefined {
  if (result.outcome === 'failed') return result.error.message;
  // An item that was dropped or returned on purpose is not an error.
  return result.outcome === 'cancelled' || result.outcome === 'released' ? undefined : messageOf(result.error);
}

function createWorker(
  stage: LoadedStage,
  context: WorkerContext,
  resource: unknown,
): { readonly worker: WorkerDependencies; readonly close: () => Promise<void> } {
  const { log, metrics, killSignal } = context;
  const shutdown = createShutdown();
  const background = createBackgroundTasks(log);
  const readRequest = createRequestCache(context.store);
  const store = guardWrites(context.store, readRequest);
  const requestLog = createRequestLog(store, stage.name, log, shutdown.signal);
  let cold = true;
  initializeItemMetrics(metrics, stage.name);
  // Every running item adds listeners: more than ten do not indicate a leak.
  setMaxListeners(0, killSignal);
  const worker: WorkerDependencies = {
    ...context,
    store,
    stage,
    resource,
    background,
    requestLog,
    readRequest,
    cancellations: createCancellations(context),
    shutdownSignal: shutdown.signal,
    readyAt: performance.now(),
    takeColdStart: () => {
      const isFirst = cold;
      cold = false;
      return isFirst;
    },
  };
  return { worker, close: () => shutdown.wait(Promise.all([background.drain(), requestLog.flush()])) };
}
