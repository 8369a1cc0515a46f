import { mkdtemp, rm } from 'node:fs/promises';
import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import type { Landed, Progress, Receipt, Request } from '../../schemas/generated/types.ts';
import type { Bus } from '../bus.ts';
import type { Config } from '../config.ts';
import { codeOf, Fault, messageOf } from '../errors.ts';
import { publishProgress } from '../events.ts';
import { exec } from '../exec.ts';
import { itemId, metadataPaths, parseKey, requestPrefix } from '../keys.ts';
import { announce, landedMessage } from '../landed.ts';
import { createLogger, type Logger } from '../log.ts';
import { withDefaults, type OptionMap } from '../options.ts';
import type { AnyStage, StageContext } from '../stage.ts';
import type { Store } from '../store.ts';
import { consumerName, lanesOf, streams, subjects } from '../topology.ts';
import { parsed } from '../validate.ts';
import type { Delivery } from './delivery.ts';
import { createFeed } from './feed.ts';
import { createItem, readRequest } from './item.ts';
import type { Metrics } from './metrics.ts';
import { createOutputs, type ReceiptOutput } from './outputs.ts';
import { isValid, readReceipt, stageConfig, writeReceipt, type StageConfig } from './receipt.ts';
import { createRequestLog } from './request-log.ts';
import { outcomeOf, settle, type Outcome } from './settle.ts';

export interface WorkerContext {
  readonly config: Config;
  readonly bus: Bus;
  readonly store: Store;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly settings: OptionMap;
  /** Stop taking items. */
  readonly stopping: AbortSignal;
  /** Stop working on items: the grace period is over. */
  readonly killed: AbortSignal;
  /** Called when items are taken from now on. */
  readonly ready: () => void;
}

/** Reads of `metadata/request.json` that are remembered; admitted requests never change. */
const REMEMBERED_REQUESTS = 200;

/** Works on a stage's items until told to stop; resolves when the last of them is settled. */
export async function runWorker(stage: AnyStage, context: WorkerContext): Promise<void> {
  const { bus, config, stopping, log } = context;
  const consumers = lanesOf(stage.consumes).map((lane) => consumerName(stage.name, lane));
  const worker = createWorker(stage, context, await stage.start?.({ settings: context.settings, log }));
  context.ready();
  const slot = async (): Promise<void> => {
    const feed = createFeed(bus, streams.landed, consumers);
    for (let delivery = await feed.next(stopping); delivery; delivery = await feed.next(stopping)) await worker.handle(delivery);
  };
  await Promise.all(Array.from({ length: config.concurrency }, slot));
  await worker.close();
}

/** What one attempt at an item knows and has made. */
interface Attempt {
  readonly landed: Landed;
  readonly item: string;
  readonly delivery: Delivery;
  readonly begun: number;
  readonly started: string;
  readonly cold: boolean;
  readonly config: StageConfig;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly outputs: ReceiptOutput[];
  readonly tools: Receipt['tools'];
  readonly models: Record<string, string>;
}

function createWorker(stage: AnyStage, context: WorkerContext, resource: unknown) {
  const { bus, store, config, metrics, settings, stopping, killed } = context;
  const requestLog = createRequestLog(store, stage.name, context.log);
  const requests = new Map<string, Promise<Request>>();
  let first = true;

  const requestOf = (requestId: string, signal: AbortSignal): Promise<Request> => {
    const known = requests.get(requestId);
    if (known) return known;
    const read = readRequest(store, requestId, signal);
    requests.set(requestId, read);
    read.catch(() => requests.delete(requestId));
    const [oldest] = requests.keys();
    if (requests.size > REMEMBERED_REQUESTS && oldest !== undefined) requests.delete(oldest);
    return read;
  };

  /** Runs the stage in a directory of its own; the outputs are in the bucket when it returns. */
  const work = async (attempt: Attempt): Promise<void> => {
    const { landed, signal, outputs, tools, models, log } = attempt;
    const dir = await mkdtemp(join(config.tmpdir, `fave-${stage.name}-${process.pid}-`));
    try {
      const request = (): Promise<Request> => requestOf(landed.request_id, signal);
      const item = createItem(landed, stage.consumes, { store, dir, signal, request });
      const receipt = metadataPaths.receipt(stage.name, attempt.item);
      const stored = createOutputs(item, landed, { produces: stage.produces, store, signal, receipt });
      // eslint-disable-next-line @typescript-eslint/no-explicit-any -- which options a stage has is its own matter, see AnyStage
      const run: StageContext<any, any, any> = {
        options: withDefaults(stage.options ?? {}, landed.options),
        settings,
        resource,
        outputs: stored,
        log,
        signal,
        dir,
        used: (name, version) => {
          models[name] = version;
        },
        exec: async (command, args, options = {}) => {
          const begun = performance.now();
          const result = exec(command, args, { cwd: dir, signal, ...options });
          await result.finally(() => {
            // Paths of the temporary directory say nothing and differ from run to run.
            tools.push({ command, args: args.map((arg) => arg.replaceAll(dir, '.')), duration_ms: milliseconds(begun) });
          });
          return result;
        },
      };
      try {
        await stage.run(item, run);
      } finally {
        outputs.push(...stored.stored);
      }
    } finally {
      await rm(dir, { recursive: true, force: true, maxRetries: 3 });
    }
  };

  const skip = async (attempt: Attempt, receipt: Receipt): Promise<void> => {
    const { landed, signal } = attempt;
    attempt.outputs.push(...receipt.outputs);
    for (const output of receipt.outputs.filter(({ announced }) => announced)) {
      const parsedKey = parseKey(requestPrefix(landed.request_id) + output.key, stage.produces);
      if (!parsedKey) continue;
      const { run, options, traceparent } = landed;
      const metadata = { run, options, attributes: output.attributes, sha256: output.sha256, ...(traceparent !== undefined && { traceparent }) };
      await announce(bus, store.bucket, landedMessage({ ...parsedKey, etag: output.etag, size: output.size }, metadata), { signal });
    }
  };

  const progressOf = (attempt: Attempt, outcome: Progress['outcome'], error?: unknown): Progress => {
    const { landed, item, begun, delivery, cold, outputs } = attempt;
    const duration = milliseconds(begun);
    return {
      request_id: landed.request_id,
      run: landed.run,
      stage: stage.name,
      item,
      outcome,
      outputs: outputs.filter(({ announced }) => announced).map(({ kind, item: of, key, etag }) => ({ kind, item: of, key, etag })),
      ...(error !== undefined && { error: errorOf(error, landed) }),
      deliveries: delivery.deliveries,
      duration_ms: duration,
      queue_ms: Math.max(0, Math.round(performance.timeOrigin + begun - delivery.stored)),
      cold_start: cold,
      cost_unit: ((duration / 1_000) * config.memoryLimitMb) / 1_024,
    };
  };

  const receiptOf = (attempt: Attempt, error?: unknown): Omit<Receipt, 'host'> => {
    const { landed, item, outputs, tools, models, started, begun } = attempt;
    return {
      stage: stage.name,
      version: stage.version,
      item,
      run: landed.run,
      source: {
        kind: landed.kind,
        key: landed.key.slice(requestPrefix(landed.request_id).length),
        etag: landed.etag,
        ...(landed.sha256 !== undefined && { sha256: landed.sha256 }),
      },
      config: attempt.config.values,
      config_hash: attempt.config.hash,
      outcome: error === undefined ? 'done' : 'failed',
      outputs,
      ...(error !== undefined && { error: errorOf(error, landed) }),
      tools,
      models,
      started,
      duration_ms: milliseconds(begun),
    };
  };

  /** Does or skips the work and says so; what it throws is decided by {@link outcomeOf}. */
  const attemptItem = async (attempt: Attempt): Promise<Progress> => {
    const { landed, item, signal } = attempt;
    const receipt = await readReceipt(store, landed.request_id, stage.name, item, signal);
    const settled = receipt && isValid(receipt, stage, landed, attempt.config) ? receipt : undefined;
    if (settled) {
      await skip(attempt, settled);
      if (settled.error) return { ...progressOf(attempt, 'failed'), error: settled.error };
      return progressOf(attempt, 'skipped');
    }
    await work(attempt);
    await writeReceipt(store, landed.request_id, receiptOf(attempt), signal);
    return progressOf(attempt, 'done');
  };

  /** The item ends here: everything that a person or a redrive needs to know is kept before the message goes. */
  const fail = async (attempt: Attempt, error: unknown): Promise<Progress> => {
    const { landed, item, delivery } = attempt;
    await writeReceipt(store, landed.request_id, receiptOf(attempt, error));
    const letter = { ...errorOf(error, landed), stage: stage.name, item, deliveries: delivery.deliveries, landed, failed_at: new Date().toISOString() };
    const msgID = [landed.request_id, landed.run, stage.name, item].join('/');
    await bus.publish(subjects.deadLetter(stage.name, landed.request_id), letter, { msgID });
    return progressOf(attempt, 'failed', error);
  };

  const report = (attempt: Attempt, progress: Progress, error?: unknown): void => {
    const { outcome, duration_ms, queue_ms, cold_start, cost_unit, deliveries } = progress;
    const labels = { stage: stage.name, outcome };
    metrics.items.inc(labels);
    metrics.duration.observe(labels, duration_ms / 1_000);
    metrics.queue.observe({ stage: stage.name }, queue_ms / 1_000);
    metrics.cost.inc({ stage: stage.name }, cost_unit);
    if (cold_start) metrics.coldStarts.inc({ stage: stage.name });
    const fields = { cold_start, duration_ms, queue_ms, memory_limit_mb: config.memoryLimitMb, cost_unit, deliveries, outputs: progress.outputs.length };
    if (outcome === 'failed') attempt.log.error({ event: 'item:failed', ...fields, code: progress.error?.code, error }, progress.error?.message);
    else attempt.log.info({ event: `item:${outcome}`, ...fields });
  };

  const tell = async (attempt: Attempt, progress: Progress, error?: unknown): Promise<void> => {
    await publishProgress(bus, stage.name, progress, { traceparent: attempt.landed.traceparent });
    report(attempt, progress, error);
  };

  const conclude = async (attempt: Attempt): Promise<Outcome> => {
    try {
      const progress = await attemptItem(attempt);
      await tell(attempt, progress);
      return { outcome: progress.outcome === 'skipped' ? 'skipped' : 'done' };
    } catch (error) {
      const outcome = outcomeOf(error, { deliveries: attempt.delivery.deliveries, stopping: killed.aborted });
      if (outcome.outcome === 'failed') await tell(attempt, await fail(attempt, error), error);
      else attempt.log.warn({ event: `item:${outcome.outcome}`, error, code: codeOf(error), deliveries: attempt.delivery.deliveries }, messageOf(error));
      return outcome;
    }
  };

  const begin = (delivery: Delivery): Attempt => {
    const begun = performance.now();
    const landed = parsed('landed', delivery.data);
    const item = itemId(stage.consumes, parseKey(landed.key, [stage.consumes])?.indices ?? {});
    const signal = AbortSignal.any([killed]);
    setMaxListeners(0, signal);
    const cold = first;
    first = false;
    const base = { service: stage.name, stage: stage.name, request_id: landed.request_id, run: landed.run, item };
    const log = createLogger(base, config.logLevel, (line) => {
      requestLog.add(landed.request_id, line);
    });
    log.info({ event: 'item:start', cold_start: cold, deliveries: delivery.deliveries });
    const options = withDefaults(stage.options ?? {}, landed.options);
    return {
      landed, item, delivery, begun, cold, log, signal,
      started: new Date().toISOString(),
      config: stageConfig(options, settings),
      outputs: [], tools: [], models: {},
    };
  };

  return {
    async handle(delivery: Delivery): Promise<void> {
      metrics.busy.inc({ stage: stage.name });
      if (delivery.deliveries > 1) metrics.redeliveries.inc({ stage: stage.name });
      // From a timer of its own, so that no tool and no slow store lets the item be given to another worker.
      const heartbeat = setInterval(() => {
        delivery.working();
      }, (config.ackWait * 1_000) / 3);
      try {
        await settle(delivery, await conclude(begin(delivery)));
      } catch (error) {
        // Not even the failure could be told: the message comes again after ack_wait.
        context.log.error({ event: 'item:retry', error, subject: delivery.subject }, messageOf(error));
        if (!stopping.aborted && error instanceof Fault && error.code === 'invalid-landed') delivery.term(error.message);
      } finally {
        clearInterval(heartbeat);
        metrics.busy.dec({ stage: stage.name });
      }
    },
    close: () => requestLog.flush(),
  };
}

function errorOf(error: unknown, landed: Landed): NonNullable<Progress['error']> {
  return {
    code: codeOf(error),
    message: messageOf(error),
    file: landed.key.slice(requestPrefix(landed.request_id).length),
    ...(error instanceof Fault && error.stderr !== undefined && error.stderr !== '' && { stderr: error.stderr }),
  };
}

/** Milliseconds since `begun`, to a tenth. */
function milliseconds(begun: number): number {
  return Math.round((performance.now() - begun) * 10) / 10;
}
