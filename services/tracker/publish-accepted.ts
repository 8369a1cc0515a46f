import type { JsMsg } from '@nats-io/jetstream';
import type { LandedMessage, RequestState } from '../../schemas/generated/types.ts';
import { kinds } from '../../schemas/kinds.ts';
import { publishLifecycle } from '../../shared/bus/events.ts';
import { codeOf, messageOf, NotFoundError, PermanentError } from '../../shared/core/errors.ts';
import { parseJson } from '../../shared/core/validate.ts';
import { traceIdOf } from '../../shared/observability/trace.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import { itemId, pathOf, requestPrefix } from '../../shared/pipeline/keys.ts';
import { cancelRemovedRun } from '../../shared/requests/cancel.ts';
import { isEnded, readRequest, readState } from '../../shared/requests/read-request.ts';
import { MISSING_DELIVERIES } from '../../shared/runtime/attempt/attempt-result.ts';
import type { Service } from '../../shared/runtime/service/service.ts';
import type { Store } from '../../shared/store/store.ts';

/**
 * Publishes `accepted` for the landed message of an input, with the first item of the request. Only the relay should publish such
 * a message, but a stage that consumes inputs may as well, so the event contains only what the bucket confirms.
 */
export async function publishAccepted({ bus, store, log }: Service, _: Graph, message: JsMsg): Promise<void> {
  try {
    const landed = parseJson('landedMessage', message.string());
    const accepted = await toAccepted(store, landed);
    if (accepted) {
      const { state, traceparent } = accepted;
      // A removed request had the same id, and its run may still be open.
      if (state.run > 1) await cancelRemovedRun(bus, store, state.request_id, state.run - 1);
      const accepted_at = new Date(Number(message.timestampNanos / 1_000_000n)).toISOString();
      await publishLifecycle(bus, 'tracker', 'accepted', { ...state, accepted_at }, { traceparent });
      const { request_id, run } = state;
      log.info({ event: 'request:accepted', request_id, run, trace_id: traceIdOf(traceparent) });
    }
    message.ack();
  } catch (error) {
    log.error({ event: 'tracker:ignored', error, code: codeOf(error) }, messageOf(error));
    const mayAppear = error instanceof NotFoundError && message.info.deliveryCount < MISSING_DELIVERIES;
    if (error instanceof PermanentError && !mayAppear) message.term();
    else message.nak(1_000);
  }
}

interface Accepted {
  readonly state: RequestState;
  readonly traceparent: string | undefined;
}

/**
 * Returns the event data of the first run; `undefined` for a run that has ended, and for later runs, which `fave` accepts itself.
 * @throws NotFoundError if the request was not admitted, PermanentError `input-replaced` if it was admitted with another input.
 */
async function toAccepted(store: Store, { request_id, run, key, etag }: LandedMessage): Promise<Accepted | undefined> {
  const { input, options, traceparent, run: firstRun = 1 } = await readRequest(store, request_id);
  if (run !== firstRun) return undefined;
  const path = pathOf(kinds.input, { file: input.file });
  if (key !== requestPrefix(request_id) + path || etag !== input.etag)
    throw new PermanentError('input-replaced', `request ${request_id} was admitted with another input than ${key}`);
  const state = await readState(store, request_id);
  if (state && isEnded(state)) return undefined;
  const announced = [{ kind: kinds.input.name, item: itemId(kinds.input, {}), key: path, etag }];
  return { state: { request_id, run, status: 'accepted', input: input.file, options, announced }, traceparent };
}
