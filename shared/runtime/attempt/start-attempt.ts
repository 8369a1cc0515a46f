import { setMaxListeners } from 'node:events';
import type { LandedMessage } from '../../../schemas/generated/types.ts';
import { InvalidDataError, messageOf } from '../../core/errors.ts';
import { withDefaults, type OptionMap, type OptionSchemas } from '../../core/options.ts';
import { parseJson } from '../../core/validate.ts';
import { createLogger, type Logger } from '../../observability/log.ts';
import { startSpan, traceIdOf } from '../../observability/trace.ts';
import { itemId, parseKey } from '../../pipeline/keys.ts';
import type { AnyStage } from '../../pipeline/stage.ts';
import { computeSha256 } from '../../store/store.ts';
import type { Delivery } from '../delivery/delivery.ts';
import { queueMsOf, type Attempt, type StageConfig } from './attempt.ts';
import type { WorkerDependencies } from './worker-dependencies.ts';

/** The delivered message is not a landed message of the stage. A redelivery cannot help. */
export class InvalidMessageError extends InvalidDataError {
  constructor(message: string, cause?: unknown) {
    super('invalid-landed-message', message, { cause });
  }
}

/** Creates the attempt for a delivery and logs its start. @throws InvalidMessageError */
export function startAttempt(worker: WorkerDependencies, delivery: Delivery): Attempt {
  const { stage, config, metrics } = worker;
  const [landed, id] = parseDelivery(stage, delivery);
  const cold = worker.takeColdStart();
  const log = createItemLogger(worker, landed, id);
  const options = withDefaults(stage.options ?? {}, landed.options);
  const abort = new AbortController();
  // Every store request and every tool of the item adds a listener: more than ten do not indicate a leak.
  setMaxListeners(0, abort.signal);
  const attempt: Attempt = {
    stage,
    landed,
    itemId: id,
    delivery,
    startedAt: performance.now(),
    startedOn: new Date(),
    cold,
    options,
    config: stageConfig(options, worker.settings, stage.settings),
    memoryLimitMb: config.memoryLimitMb,
    log,
    abort,
    span: startSpan(stage.name, landed.traceparent, {
      kind: 'consumer',
      attributes: {
        'fave.request_id': landed.request_id,
        'fave.run': landed.run,
        'fave.item': id,
        'fave.deliveries': delivery.deliveries,
        'fave.cold_start': cold,
      },
    }),
    record: { outputs: [], tools: [], models: {} },
  };
  const queue_ms = queueMsOf(attempt);
  log.info({ event: 'item:start', cold_start: cold, deliveries: delivery.deliveries, queue_ms });
  // The time in which a ready worker had no item to work on is not part of its cold start.
  const firstItemMs = Math.min(attempt.startedAt - worker.readyAt, queue_ms);
  if (cold) {
    metrics.coldStart.observe({ stage: stage.name, part: 'first_item' }, firstItemMs / 1_000);
    worker.firstItem(queue_ms);
  }
  return attempt;
}

function parseDelivery(stage: AnyStage, delivery: Delivery): [LandedMessage, itemId: string] {
  let landed: LandedMessage;
  try {
    landed = parseJson('landedMessage', delivery.data);
  } catch (error) {
    throw new InvalidMessageError(messageOf(error), error);
  }
  const key = parseKey(landed.key, [stage.consumes]);
  if (key?.requestId !== landed.request_id)
    throw new InvalidMessageError(`${landed.key} is not a key of kind ${stage.consumes.name} of request ${landed.request_id}`);
  return [landed, itemId(stage.consumes, key.indices)];
}

function createItemLogger({ stage, config, requestLog }: WorkerDependencies, landed: LandedMessage, item: string): Logger {
  const trace_id = traceIdOf(landed.traceparent);
  const fields = {
    service: stage.name,
    stage: stage.name,
    request_id: landed.request_id,
    run: landed.run,
    item,
    ...(trace_id !== undefined && { trace_id }),
  };
  return createLogger(fields, config.logLevel, (line) => {
    requestLog.add(landed.request_id, line);
  });
}

/** Returns the configuration of an attempt, which its receipt states. It contains no secret. */
export function stageConfig(options: OptionMap, settings: OptionMap, schemas: OptionSchemas = {}): StageConfig {
  const entries = Object.entries({ ...options, ...settings })
    .filter(([name]) => !schemas[name]?.isPrivate)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const values = Object.fromEntries(entries);
  return { values, hash: computeSha256(JSON.stringify(values)) };
}
