import type { JsMsg } from '@nats-io/jetstream';
import type { ItemError, ItemEvent, LandedMessage } from '../../schemas/generated/types.ts';
import { publishDeadLetter, type FailedItem } from '../../shared/bus/dead-letters.ts';
import { publishItemEvent } from '../../shared/bus/events.ts';
import { undefinedIfInvalid } from '../../shared/bus/request-events.ts';
import { consumerName, finalAckSubject, lanesOf, streams } from '../../shared/bus/topology.ts';
import { codeOf, messageOf } from '../../shared/core/errors.ts';
import { parseJson } from '../../shared/core/validate.ts';
import { traceIdOf } from '../../shared/observability/trace.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import { itemId, parseKey, requestPrefix } from '../../shared/pipeline/keys.ts';
import type { AnyStage } from '../../shared/pipeline/stage.ts';
import type { Service } from '../../shared/runtime/service/service.ts';

/** Advisory of the server: a message has reached the maximum number of deliveries. */
interface MaxDeliveriesAdvisory {
  readonly stream: string;
  readonly consumer: string;
  readonly stream_seq: number;
  readonly deliveries: number;
}

type Delivered = Pick<FailedItem, 'deliveries' | 'sequence'>;

/** Timeout of the final acknowledgement (ms). Without a confirmation the advisory is redelivered. */
const CONFIRMATION_TIMEOUT_MS = 5_000;

/** Fails an item whose workers were all lost before they could record a failure. The request continues without it. */
export async function handleAdvisory({ bus, log, metrics }: Service, graph: Graph, message: JsMsg): Promise<void> {
  const failItem = async (stage: AnyStage, landed: LandedMessage, delivery: Delivered): Promise<void> => {
    const { request_id, traceparent } = landed;
    const event = toFailedEvent(stage, landed, delivery);
    const { item, error } = event;
    await publishDeadLetter(bus, { stage: stage.name, item, error, ...delivery, landed });
    await publishItemEvent(bus, 'tracker', event, { traceparent });
    metrics.deadLetters.inc({ stage: stage.name });
    const fields = { stage: stage.name, request_id, trace_id: traceIdOf(traceparent), item, code: error.code };
    log.error({ event: 'item:failed', ...fields }, error.message);
  };
  try {
    const { consumer, stream_seq: sequence, deliveries } = message.json<MaxDeliveriesAdvisory>();
    const stage = graph.stages.find(({ name, consumes }) =>
      lanesOf(consumes).some((lane) => consumerName(name, lane) === consumer),
    );
    const stored = stage && (await bus.manager.streams.getMessage(streams.landed, { seq: sequence }));
    if (stage && stored) {
      // An invalid message has no item; it is only acknowledged.
      const landed = undefinedIfInvalid(() => parseJson('landedMessage', stored.string()));
      if (landed) await failItem(stage, landed, { deliveries, sequence });
      // Acknowledges for the lost worker, as the last step: until then the server keeps the message. A deletion would also remove it
      // for other consumers.
      await bus.connection.request(finalAckSubject(consumer, sequence), '+ACK', { timeout: CONFIRMATION_TIMEOUT_MS });
    }
    message.ack();
  } catch (error) {
    log.error({ event: 'tracker:ignored', error, code: codeOf(error) }, messageOf(error));
    message.nak(1_000);
  }
}

function toFailedEvent(
  stage: AnyStage,
  landed: LandedMessage,
  { deliveries, sequence }: Delivered,
): ItemEvent & { error: ItemError } {
  const { request_id, run, key } = landed;
  return {
    request_id,
    run,
    stage: stage.name,
    item: itemId(stage.consumes, parseKey(key, [stage.consumes])?.indices ?? {}),
    outcome: 'failed',
    outputs: [],
    error: {
      code: 'worker-lost',
      message: `${deliveries} workers of ${stage.name} were lost while they processed ${key}: they crash, hang or run out of memory on this file`,
      file: key.slice(requestPrefix(request_id).length),
    },
    sequence,
    deliveries,
    duration_ms: 0,
    queue_ms: 0,
    cold_start: false,
    cost_unit: 0,
  };
}
