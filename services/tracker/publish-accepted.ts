import type { JsMsg } from '@nats-io/jetstream';
import type { RequestState } from '../../schemas/generated/types.ts';
import { publishLifecycle } from '../../shared/bus/events.ts';
import { codeOf, messageOf, PermanentError } from '../../shared/core/errors.ts';
import { parseJson } from '../../shared/core/validate.ts';
import { traceIdOf } from '../../shared/observability/trace.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import { itemId, parseKey } from '../../shared/pipeline/keys.ts';
import type { Service } from '../../shared/runtime/service/service.ts';

/** Publishes `accepted` for the landed message of an input, with the first item of the request. */
export async function publishAccepted({ bus, log }: Service, graph: Graph, message: JsMsg): Promise<void> {
  try {
    const { request_id, run, key, etag, options, traceparent } = parseJson('landedMessage', message.string());
    const parsed = parseKey(key, graph.kinds);
    if (!parsed) throw new PermanentError('invalid-key', `${key} is not a key of this pipeline`);
    const { kind, path, indices } = parsed;
    const accepted: RequestState = {
      request_id,
      run,
      status: 'accepted',
      input: path.slice(path.indexOf('/') + 1),
      options,
      accepted_at: new Date(Number(message.timestampNanos / 1_000_000n)).toISOString(),
      announced: [{ kind: kind.name, item: itemId(kind, indices), key: path, etag }],
    };
    await publishLifecycle(bus, 'tracker', 'accepted', accepted, { traceparent });
    log.info({ event: 'request:accepted', request_id, run, trace_id: traceIdOf(traceparent) });
    message.ack();
  } catch (error) {
    log.error({ event: 'tracker:ignored', error, code: codeOf(error) }, messageOf(error));
    if (error instanceof PermanentError) message.term();
    else message.nak(1_000);
  }
}
