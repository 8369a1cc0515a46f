import type { ItemError, ItemEvent, Receipt, Request } from '../../schemas/generated/types.ts';
import type { Bus } from '../bus/connection.ts';
import type { Config } from '../config/config.ts';
import { codeOf, messageOf, PermanentError } from '../core/errors.ts';
import { publishItemEvent } from '../bus/events.ts';
import { itemId, parseKey, requestPrefix } from '../pipeline/keys.ts';
import { announce, inheritMetadata, createLandedMessage } from '../bus/landed-message.ts';
import { publishDeadLetter } from '../bus/dead-letters.ts';
import { createLogger, type Logger } from '../observability/log.ts';
import { withDefaults, type OptionMap } from '../core/options.ts';
import { loadStage, type AnyStage, type Item, type LoadedStage } from '../pipeline/stage.ts';
import type { Store } from '../store/store.ts';
import { consumerName, lanesOf, streams } from '../bus/topology.ts';
import { traceIdOf, runInSpan } from '../observability/trace.ts';
import { parseJson } from '../core/validate.ts';
import { beginAttempt, endSpan, itemError, progressOf, queueOf, receiptOf, type Attempt } from './attempt/attempt.ts';
import { CancelledError, createCancellations } from './attempt/cancellations.ts';
import { createBackgroundTasks } from './service/background-tasks.ts';
import { armDeadline } from './attempt/deadline.ts';
import type { Delivery } from './delivery/delivery.ts';
import { createShutdown } from './service/shutdown.ts';
import { createLaneConsumer } from './delivery/lane-consumer.ts';
import { createMemo, type MemoLookup } from './attempt/memo.ts';
import { initializeItemMetrics, type Metrics } from './service/metrics.ts';
import { withWorkdir, runStage, type Workdir } from './workdir/run-stage.ts';
import { isReceiptValid, readReceipt, stageConfig, writeReceipt } from './attempt/receipt.ts';
import { createRequestLog } from './service/request-log.ts';
import { rememberRequests } from './workdir/request-cache.ts';
import { dispositionOf, settle, type Disposition } from './delivery/disposition.ts';

export interface WorkerContext {
  readonly config: Config;
  readonly bus: Bus;
  readonly store: Store;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly settings: OptionMap;
  /** Stop taking items. */
  readonly drainSignal: AbortSignal;
  /** Stop working on items: the grace period is over. */
  readonly killSignal: AbortSignal;
  /** Called when items are taken from now on. */
  readonly ready: (start: { readonly model_ms: number }) => void;
  /** Called when the first item starts. @param queueMs Time that it waited, in milliseconds. */
  readonly firstItem: (queueMs: number) => void;
}

/** Works on a stage's items until told to stop; resolves when the last of them is settled. */
export async function runWorker(stage: AnyStage, context: WorkerContext): Promise<void> {
  const { bus, config, drainSignal, log } = context;
  const consumers = lanesOf(stage.consumes).map((lane) => consumerName(stage.name, lane));
  const begun = performance.now();
  const loaded = await loadStage(stage);
  const worker = createWorker(loaded, context, await loaded.start?.({ settings: context.settings, log }));
  context.ready({ model_ms: performance.now() - begun });
  const feed = createLaneConsumer(bus, streams.landed, consumers, log);
  const slot = async (): Promise<void> => {
    for (let delivery = await feed.next(drainSignal); delivery; delivery = await feed.next(drainSignal))
      await worker.processDelivery(delivery);
  };
  await Promise.all(Array.from({ length: config.concurrency }, slot));
  await worker.close();
}

function createWorker(stage: LoadedStage, context: WorkerContext, resource: unknown) {
  const { bus, store, config, metrics, settings, killSignal } = context;
  const background = createBackgroundTasks(context.log);
  const workshop = { store, tmpdir: config.tmpdir, settings, resource, background, metrics };
  const ending = createShutdown();
  const requestLog = createRequestLog(store, stage.name, context.log, ending.signal);
  const requestOf = rememberRequests(store);
  const cancellations = createCancellations(context);
  const memo = createMemo(store);
  const made = performance.now();
  let first = true;
  initializeItemMetrics(metrics, stage.name);

  const begin = (delivery: Delivery): Attempt => {
    const landed = parseJson('landedMessage', delivery.data);
    const key = parseKey(landed.key, [stage.consumes]);
    if (key?.requestId !== landed.request_id)
      throw new PermanentError(
        'invalid-landed-message',
        `${landed.key} is no ${stage.consumes.name} of request ${landed.request_id}`,
      );
    const item = itemId(stage.consumes, key.indices);
    const cold = first;
    first = false;
    const base = { service: stage.name, stage: stage.name, request_id: landed.request_id, run: landed.run, item };
    const trace_id = traceIdOf(landed.traceparent);
    const log = createLogger({ ...base, ...(trace_id !== undefined && { trace_id }) }, config.logLevel, (line) => {
      requestLog.add(landed.request_id, line);
    });
    const options = withDefaults(stage.options ?? {}, landed.options);
    const stageSettings = stageConfig(options, settings);
    const about = {
      stage,
      landed,
      item,
      delivery,
      cold,
      log,
      options,
      config: stageSettings,
      memoryLimitMb: config.memoryLimitMb,
    };
    const attempt = beginAttempt(about);
    const queue_ms = queueOf(attempt);
    log.info({ event: 'item:start', cold_start: cold, deliveries: delivery.deliveries, queue_ms });
    // Waiting for work counts only as long as there was some.
    const waited = Math.min(attempt.begun - made, queue_ms);
    if (cold) {
      metrics.coldStart.observe({ stage: stage.name, part: 'first_item' }, waited / 1_000);
      context.firstItem(queue_ms);
    }
    return attempt;
  };

  /** Keeps a failure as a dead letter. Its receipt is written: until the letter is, every delivery comes here again. */
  const deadLetter = async (attempt: Attempt, failure: ItemError): Promise<ItemEvent> => {
    const { landed, item, delivery } = attempt;
    const { deliveries, sequence } = delivery;
    await publishDeadLetter(bus, { stage: stage.name, item, error: failure, deliveries, sequence, landed });
    metrics.deadLetters.inc({ stage: stage.name });
    return progressOf(attempt, 'failed', failure);
  };

  /** Says again what a settled item made or why it failed, so that nothing after it waits for ever and no failure is forgotten. */
  const reannounceOutputs = async (attempt: Attempt, receipt: Receipt): Promise<ItemEvent> => {
    const { landed, abort, outputs, span } = attempt;
    outputs.push(...receipt.outputs);
    for (const { announced, key, etag, size, sha256, attributes } of receipt.outputs) {
      const object = announced && parseKey(requestPrefix(landed.request_id) + key, stage.produces);
      if (!object) continue;
      const message = createLandedMessage(
        { ...object, etag, size },
        { ...inheritMetadata(landed, span.traceparent), attributes, sha256 },
      );
      await announce(bus, store.bucket, message, { signal: abort.signal });
    }
    return receipt.error ? deadLetter(attempt, receipt.error) : progressOf(attempt, 'skipped');
  };

  /** Copies equal work done before, or does it. */
  const produceOutputs = async (
    attempt: Attempt,
    item: Item,
    place: Workdir,
    known: MemoLookup | undefined,
  ): Promise<ItemEvent> => {
    const { landed, abort } = attempt;
    const recalled = known !== undefined && (await memo.copyOutputs(attempt, known));
    if (!recalled) await runStage(attempt, workshop, item, place);
    await writeReceipt(store, landed.request_id, receiptOf(attempt), abort.signal);
    if (known && !recalled)
      background.later(() => memo.recordOutputs(attempt, known, ending.signal), 'this work is not noted for other requests');
    return progressOf(attempt, recalled ? 'reused' : 'done');
  };

  const runAttempt = async (attempt: Attempt): Promise<ItemEvent> => {
    const { landed, abort } = attempt;
    const { signal } = abort;
    const request = (): Promise<Request> => requestOf(landed.request_id, signal);
    const disarm = armDeadline(attempt, request);
    try {
      return await withWorkdir(attempt, workshop, request, async (item, place) => {
        // Together: each is a round trip to the store, and most items are new.
        const [receipt, cancelled, known] = await Promise.all([
          readReceipt(store, landed.request_id, stage.name, attempt.item, signal),
          cancellations.isCancelled(landed.request_id, landed.run, signal),
          memo.lookUp(attempt, item),
        ]);
        if (cancelled) throw new CancelledError(landed.request_id);
        return receipt && isReceiptValid(receipt, attempt)
          ? reannounceOutputs(attempt, receipt)
          : produceOutputs(attempt, item, place, known);
      });
    } finally {
      disarm();
    }
  };

  /** The item ends here: everything that a person or a redrive needs to know is kept before the message goes. */
  const fail = async (attempt: Attempt, error: unknown): Promise<ItemEvent> => {
    const { landed } = attempt;
    const failure = itemError(error, landed);
    await writeReceipt(store, landed.request_id, receiptOf(attempt, failure));
    return deadLetter(attempt, failure);
  };

  const publishResult = async (attempt: Attempt, progress: ItemEvent): Promise<void> => {
    await publishItemEvent(bus, stage.name, progress, { traceparent: attempt.span.traceparent });
    report(metrics, attempt, progress);
  };

  const recordResult = async (attempt: Attempt): Promise<Disposition> => {
    const { landed, delivery, abort, log } = attempt;
    try {
      const progress = await runAttempt(attempt);
      await publishResult(attempt, progress);
      return progress.outcome === 'failed' ? { outcome: 'failed', error: progress.error } : { outcome: progress.outcome };
    } catch (error) {
      const cancelled = error instanceof CancelledError || abort.signal.reason instanceof CancelledError;
      const outcome = dispositionOf(error, {
        deliveries: delivery.deliveries,
        stopping: killSignal.aborted,
        cancelled,
        factor: config.retryFactor,
      });
      if (outcome.outcome === 'failed') await publishResult(attempt, await fail(attempt, error));
      else
        log.warn(
          { event: `item:${outcome.outcome}`, error, code: codeOf(error), deliveries: delivery.deliveries },
          messageOf(error),
        );
      if (outcome.outcome === 'requeued') await announce(bus, store.bucket, landed, { nonce: `${delivery.sequence}` });
      return outcome;
    }
  };

  const processDelivery = async (delivery: Delivery): Promise<void> => {
    const attempt = begin(delivery);
    const unwatch = cancellations.watch(attempt);
    const stop = (): void => {
      attempt.abort.abort(killSignal.reason);
    };
    killSignal.addEventListener('abort', stop, { once: true });
    let outcome: { outcome: string; error?: unknown } = { outcome: 'lost' };
    try {
      const concluded = await runInSpan(attempt.span, () => recordResult(attempt));
      outcome = concluded;
      await settle(delivery, concluded);
    } finally {
      endSpan(attempt, outcome);
      unwatch();
      killSignal.removeEventListener('abort', stop);
    }
  };

  return {
    async processDelivery(delivery: Delivery): Promise<void> {
      metrics.busy.inc({ stage: stage.name });
      if (delivery.deliveries > 1) metrics.redeliveries.inc({ stage: stage.name });
      // From a timer of its own, so that no tool and no slow store lets the item be given to another worker.
      const heartbeat = setInterval(
        () => {
          delivery.working();
        },
        (config.ackWait * 1_000) / 3,
      );
      try {
        await processDelivery(delivery);
      } catch (error) {
        // Nothing could be told, not even the failure: the message comes again after ack_wait, unless it is none of ours.
        context.log.error({ event: 'item:retry', error, code: codeOf(error), subject: delivery.subject }, messageOf(error));
        if (codeOf(error) === 'invalid-landed-message') delivery.term(messageOf(error).slice(0, 200));
      } finally {
        clearInterval(heartbeat);
        metrics.busy.dec({ stage: stage.name });
      }
    },
    close: () => ending.wait(Promise.all([background.finish(), requestLog.flush()])),
  };
}

/** Measures and logs a settled item. */
function report(metrics: Metrics, { stage, log, memoryLimitMb }: Attempt, progress: ItemEvent): void {
  const { outcome, error, outputs, duration_ms, queue_ms, cold_start, cost_unit, deliveries } = progress;
  const labels = { stage: stage.name, outcome };
  metrics.items.inc(labels);
  metrics.duration.observe(labels, duration_ms / 1_000);
  metrics.queue.observe({ stage: stage.name }, queue_ms / 1_000);
  metrics.cost.inc({ stage: stage.name }, cost_unit);
  if (cold_start) metrics.coldStarts.inc({ stage: stage.name });
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
