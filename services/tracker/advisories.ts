import type { JsMsg } from '@nats-io/jetstream';
import type { ItemError, LandedMessage, ItemEvent } from '../../schemas/generated/types.ts';
import { codeOf, messageOf } from '../../shared/core/errors.ts';
import { publishItemEvent } from '../../shared/bus/events.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import { itemId, parseKey, requestPrefix } from '../../shared/pipeline/keys.ts';
import { publishDeadLetter, type FailedItem } from '../../shared/bus/dead-letters.ts';
import type { Service } from '../../shared/runtime/service/service.ts';
import type { AnyStage } from '../../shared/pipeline/stage.ts';
import { consumerName, lanesOf, finalAckSubject, streams } from '../../shared/bus/topology.ts';
import { traceIdOf } from '../../shared/observability/trace.ts';
import { parseJson } from '../../shared/core/validate.ts';

/** What the server says when a message was delivered as often as it may be. */
interface MaxDeliveries {
  readonly stream: string;
  readonly consumer: string;
  readonly stream_seq: number;
  readonly deliveries: number;
}

/** Milliseconds to wait for the server's confirmation; without one the advisory comes again. */
const CONFIRMATION = 5_000;

/** Ends an item whose worker died each time, and so never got to say so: a dead letter, and the request goes on without it. */
export async function takeAdvisory({ bus, log, metrics }: Service, graph: Graph, message: JsMsg): Promise<void> {
  try {
    const advisory = message.json<MaxDeliveries>();
    const stage = graph.stages.find(({ name, consumes }) =>
      lanesOf(consumes).some((lane) => consumerName(name, lane) === advisory.consumer),
    );
    const stored = stage && (await bus.manager.streams.getMessage(streams.landed, { seq: advisory.stream_seq }));
    if (stage && stored) {
      const landed = parseJson('landedMessage', stored.string());
      const { deliveries, stream_seq: sequence } = advisory;
      const { error, ...progress } = failedProgress(stage, landed, { deliveries, sequence });
      metrics.deadLetters.inc({ stage: stage.name });
      await publishDeadLetter(bus, { stage: stage.name, item: progress.item, error, deliveries, sequence, landed });
      await publishItemEvent(bus, 'tracker', { ...progress, error }, { traceparent: landed.traceparent });
      log.error(
        {
          event: 'item:failed',
          stage: stage.name,
          request_id: landed.request_id,
          trace_id: traceIdOf(landed.traceparent),
          item: progress.item,
          code: error.code,
        },
        error.message,
      );
      // In the name of the lost worker, and last: until its consumer has acknowledged it the server keeps the message for ever.
      // It goes when no other consumer needs it any more, which a deletion would not ask.
      await bus.connection.request(finalAckSubject(advisory.consumer, sequence), '+ACK', { timeout: CONFIRMATION });
    }
    message.ack();
  } catch (error) {
    log.error({ event: 'tracker:ignored', error, code: codeOf(error) }, messageOf(error));
    message.nak(1_000);
  }
}

function failedProgress(
  stage: AnyStage,
  landed: LandedMessage,
  { deliveries, sequence }: Pick<FailedItem, 'deliveries' | 'sequence'>,
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
      message: `no worker of ${stage.name} survived work on ${key}, ${deliveries} times: it crashes, hangs or runs out of memory on this file`,
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
