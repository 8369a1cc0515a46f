import type { ItemError, ItemEvent, LandedMessage } from '../../../schemas/generated/types.ts';
import { codeOf, FaveError, messageOf } from '../../core/errors.ts';
import { requestPrefix } from '../../pipeline/keys.ts';
import { millisecondsSince } from '../workdir/stage-run.ts';
import { queueMsOf, type Attempt } from './attempt.ts';

/** Returns the event that publishes a settled item. Its duration ends now. */
export function toItemEvent(attempt: Attempt, outcome: ItemEvent['outcome'], error?: ItemError): ItemEvent {
  const { stage, landed, itemId, startedAt, delivery, cold, record, memoryLimitMb } = attempt;
  const duration_ms = millisecondsSince(startedAt);
  return {
    request_id: landed.request_id,
    run: landed.run,
    stage: stage.name,
    item: itemId,
    outcome,
    outputs: record.outputs.filter(({ announced }) => announced).map(({ kind, item, key, etag }) => ({ kind, item, key, etag })),
    output_bytes: record.outputs.reduce((sum, { size }) => sum + size, 0),
    ...(error && { error, sequence: delivery.sequence }),
    deliveries: delivery.deliveries,
    duration_ms,
    queue_ms: queueMsOf(attempt),
    cold_start: cold,
    cost_unit: ((duration_ms / 1_000) * memoryLimitMb) / 1_024,
  };
}

/** Maximum length of an error message. Events and dead letters must fit into one message of the bus. */
const MAX_MESSAGE_LENGTH = 4_000;

/** Returns an error in the form that events, receipts and dead letters share. */
export function toItemError(error: unknown, landed: LandedMessage): ItemError {
  return {
    code: codeOf(error),
    message: messageOf(error).slice(0, MAX_MESSAGE_LENGTH),
    file: pathOfLanded(landed),
    ...(error instanceof FaveError && error.stderr && { stderr: error.stderr }),
  };
}

/** Returns the path of the landed object below the prefix of its request. */
export function pathOfLanded({ key, request_id }: LandedMessage): string {
  return key.slice(requestPrefix(request_id).length);
}
