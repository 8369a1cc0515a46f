import { basename } from 'node:path';
import type { JsMsg } from '@nats-io/jetstream';
import { kinds } from '../../schemas/kinds.ts';
import { PULL } from '../../shared/bus/connection.ts';
import { codeOf, messageOf, PermanentError } from '../../shared/core/errors.ts';
import { publishLifecycle } from '../../shared/bus/events.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import { itemId, parseKey, type ParsedKey } from '../../shared/pipeline/keys.ts';
import type { Refusal } from '../../shared/pipeline/stage.ts';
import { announce, createLandedMessage } from '../../shared/bus/landed-message.ts';
import { decodeMetadata, parseRequestHeaders, type ObjectMetadata } from '../../shared/pipeline/metadata.ts';
import type { Service } from '../../shared/runtime/service/service.ts';
import { NO_REQUEST, RELAY_CONSUMER, streams, subjects } from '../../shared/bus/topology.ts';
import { isTraceparent, newTraceparent, startSpan, traceIdOf } from '../../shared/observability/trace.ts';
import { parseJson } from '../../shared/core/validate.ts';
import { admit } from './admit.ts';
import { classify, createdObjects, type CreatedObject } from './classify.ts';
import { readRequest } from '../../shared/requests/read-request.ts';
import { readLastRun } from '../../shared/requests/start-run.ts';
import { createRequestOptionParser } from '../../shared/requests/request-options.ts';
import { screenHead } from '../../shared/requests/screen-upload.ts';
import { SIGNATURE_BYTES } from '../../shared/media/signature.ts';

/** Results of a notification: values of the metric's label. */
export const results = ['landed', 'ignored', 'rejected', 'invalid', 'retried'] as const;
type Result = (typeof results)[number];

/** Notification paths of the store, by subject. */
const paths: Readonly<Record<string, 'fast' | 'durable'>> = { [subjects.rawFast]: 'fast', [subjects.rawDurable]: 'durable' };

/** Delay before a failed notification is redelivered (ms). */
const RETRY_DELAY_MS = 1_000;

/**
 * Turns notifications of the store into landed messages: it finds the kind of each key, validates, admits inputs and announces. It
 * has no state, so any number of replicas may run. It receives both notification paths; JetStream drops the second message.
 */
export async function relay(service: Service, graph: Graph): Promise<void> {
  const { bus, log, metrics, drainSignal } = service;
  const handleObject = createHandler(service, graph);
  const recordArrival = initializeNotificationMetrics(service);

  const handle = async (message: JsMsg): Promise<Result> => {
    recordArrival(message.subject);
    try {
      const notification = parseJson('notification', message.string());
      // An object that a sweep found is announced again, although its first announcement may be within the deduplication window.
      const nonce = message.subject === subjects.rawSweep ? `sweep ${message.seq}` : '';
      const objects = createdObjects(notification, service.store.bucket);
      const results = await Promise.all(objects.map((object) => handleObject(object, nonce)));
      message.ack();
      return results[0] ?? 'ignored';
    } catch (error) {
      if (error instanceof PermanentError && error.code === 'invalid-notification') {
        log.warn({ event: 'relay:ignored', code: error.code }, error.message);
        message.term(error.message.slice(0, 200));
        return 'invalid';
      }
      log.warn({ event: 'relay:retry', code: codeOf(error), error }, `${messageOf(error)}; the notification is retried`);
      message.nak(RETRY_DELAY_MS);
      return 'retried';
    }
  };

  const inFlight = new Set<Promise<void>>();
  const consumer = await bus.jetstream.consumers.get(streams.raw, RELAY_CONSUMER);
  const messages = await consumer.consume({
    ...PULL,
    max_messages: 500,
    callback: (message) => {
      const done = handle(message).then((result) => {
        metrics.events.inc({ result });
        inFlight.delete(done);
      });
      inFlight.add(done);
    },
  });
  service.ready();
  await new Promise((resolve) => {
    drainSignal.addEventListener('abort', resolve, { once: true });
  });
  await messages.close();
  await Promise.all(inFlight);
}

/**
 * Sets the counters to 0 and the time of the last notification to now, so that the alert also fires for a path that was broken before
 * the relay started.
 * @returns A function that records a notification on a subject. Without a canary a path may be silent, so nothing is recorded.
 */
function initializeNotificationMetrics({ config, metrics }: Service): (subject: string) => void {
  for (const result of results) metrics.events.inc({ result }, 0);
  const recordArrival = (subject: string): void => {
    const path = paths[subject];
    if (path !== undefined && config.eventSource === 'notifications') metrics.lastEvent.set({ path }, Date.now() / 1_000);
  };
  for (const subject of Object.keys(paths)) recordArrival(subject);
  return recordArrival;
}

/** Only inputs have a version id, because users may overwrite them. */
type VersionedMetadata = ObjectMetadata & { readonly versionId?: string | undefined };

function createHandler({ store, bus, log }: Service, graph: Graph): (object: CreatedObject, nonce: string) => Promise<Result> {
  const parseOptions = createRequestOptionParser(graph);

  const refuse = async (
    { key, etag }: CreatedObject,
    requestId: string | undefined,
    { result, code, message }: Refusal,
  ): Promise<Result> => {
    const id = requestId ?? NO_REQUEST;
    const input = parseKey(key, [kinds.input]);
    const refused = input && [{ kind: kinds.input.name, item: itemId(kinds.input, {}), key: input.path, etag }];
    await publishLifecycle(
      bus,
      'relay',
      result,
      { request_id: id, run: 1, status: result, input: key, errors: [{ code, message, file: key }], ...(refused && { refused }) },
      { distinct: `${key} ${etag} ${code}` },
    );
    const fields = { request_id: id, key, code };
    if (result === 'rejected') log.warn({ event: 'relay:rejected', ...fields }, message);
    else log.info({ event: 'relay:upload-ignored', ...fields }, message);
    return result;
  };

  /**
   * Reads the first bytes of an upload. Returns `undefined` if the object was removed or replaced since its notification: the
   * notification of the newer object decides.
   */
  const readHead = async ({ key, etag }: CreatedObject): Promise<{ bytes: Buffer; versionId?: string } | undefined> => {
    try {
      return await store.getStart(key, SIGNATURE_BYTES, etag === '' ? {} : { etag });
    } catch (error) {
      if (codeOf(error) === 'object-changed') return undefined;
      throw error;
    }
  };

  /** Admits the input. Its options are validated here, and all artifacts inherit them. */
  const metadataOfInput = async (object: CreatedObject, { requestId }: ParsedKey): Promise<VersionedMetadata> => {
    const headers = object.headers ?? (await store.head(object.key))?.headers ?? {};
    const { options, traceparent } = parseRequestHeaders(headers);
    const { etag, size, versionId } = object;
    // One of the two notifications of an input is admitted. Only its span is sent: it is the parent of all other spans.
    const span = startSpan('admit', traceparent !== undefined && isTraceparent(traceparent) ? traceparent : undefined, {
      kind: 'consumer',
      attributes: { 'fave.request_id': requestId, 'fave.bytes': object.size },
    });
    const trace = span.traceparent ?? newTraceparent();
    const candidate = {
      requestId,
      file: basename(object.key),
      etag,
      size,
      versionId,
      options: parseOptions(options),
      traceparent: trace,
    };
    const request = await admit(store, candidate, async () => (await readLastRun(bus, store, requestId))?.run);
    if (request.traceparent === span.traceparent) span.end();
    return {
      run: request.run ?? 1,
      options: request.options,
      attributes: {},
      versionId: request.input.version_id,
      ...(request.traceparent !== undefined && { traceparent: request.traceparent }),
    };
  };

  const metadataOfArtifact = async (object: CreatedObject, { requestId }: ParsedKey): Promise<ObjectMetadata> => {
    const metadata = decodeMetadata(object.headers ?? {}) ?? decodeMetadata((await store.head(object.key))?.headers ?? {});
    if (metadata) return metadata;
    // A user uploaded the artifact without metadata. It inherits the options of the request.
    const { run = 1, options, traceparent } = await readRequest(store, requestId);
    return { run, options, attributes: {}, ...(traceparent !== undefined && { traceparent }) };
  };

  const metadataOf = async (object: CreatedObject, parsedKey: ParsedKey): Promise<VersionedMetadata> => {
    if (parsedKey.kind === kinds.input) return metadataOfInput(object, parsedKey);
    if (parsedKey.kind === kinds.canary) return { run: 1, options: {}, attributes: {} };
    return metadataOfArtifact(object, parsedKey);
  };

  return async (object, nonce) => {
    const classified = classify(object, graph);
    if (classified.type === 'ignored') return 'ignored';
    if (classified.type === 'refused') return refuse(object, classified.requestId, classified.refusal);
    const { requestId, kind } = classified.object;
    try {
      if (kind === kinds.input) {
        const head = await readHead(object);
        if (!head) return 'ignored';
        const refusal = screenHead(graph, { name: basename(object.key), head: head.bytes });
        if (refusal) return await refuse(object, requestId, refusal);
        // The version of the notification may have been removed since, and the same content uploaded again.
        object = { ...object, versionId: head.versionId ?? object.versionId };
      }
      const { versionId, ...metadata } = await metadataOf(object, classified.object);
      const { etag, size, sequencer } = object;
      await announce(
        bus,
        store.bucket,
        createLandedMessage({ ...classified.object, etag, size, versionId, sequencer }, metadata),
        { nonce },
      );
      if (kind === kinds.input)
        log.info({
          event: 'relay:admitted',
          request_id: requestId,
          key: object.key,
          options: metadata.options,
          trace_id: traceIdOf(metadata.traceparent),
        });
      return 'landed';
    } catch (error) {
      if (error instanceof PermanentError)
        return refuse(object, requestId, { result: 'rejected', code: error.code, message: error.message });
      throw error;
    }
  };
}
