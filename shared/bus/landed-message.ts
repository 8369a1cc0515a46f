import { createHash } from 'node:crypto';
import type { Kind } from '../../schemas/kinds.ts';
import type { LandedMessage } from '../../schemas/generated/types.ts';
import type { Bus } from './connection.ts';
import { requestPrefix } from '../pipeline/keys.ts';
import type { ObjectMetadata } from '../pipeline/metadata.ts';
import type { Indices } from '../pipeline/artifact.ts';
import { laneOf, subjects } from './topology.ts';
import { validate } from '../core/validate.ts';

export interface LandedObject {
  readonly kind: Kind;
  readonly requestId: string;
  /** Key without the prefix of the request. */
  readonly path: string;
  readonly indices: Indices;
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
  readonly versionId?: string | undefined;
  readonly sequencer?: string | undefined;
}

/** Returns the landed message of an object, which the consumers of its kind receive. */
export function createLandedMessage(object: LandedObject, metadata: ObjectMetadata): LandedMessage {
  const { kind, requestId, path, indices, etag, size, versionId, sequencer } = object;
  const { run, options, attributes, sha256, input, traceparent } = metadata;
  return {
    kind: kind.name,
    lane: laneOf(indices),
    request_id: requestId,
    key: requestPrefix(requestId) + path,
    etag,
    size,
    run,
    options: { ...options },
    attributes: { ...attributes },
    ...(versionId !== undefined && { version_id: versionId }),
    ...(sequencer !== undefined && { sequencer }),
    ...(sha256 !== undefined && { sha256 }),
    ...(input !== undefined && { input_sha256: input }),
    ...(traceparent !== undefined && { traceparent }),
  };
}

/**
 * Publishes the landed message of an object. Both notification paths, a redelivery and a second worker use the same message id, so
 * JetStream stores one message.
 * @throws InvalidDataError `invalid-landed-message` if the metadata of the object is invalid.
 * @param nonce Part of the message id that makes the message new for the same object, as for a sweep or a redrive.
 */
export async function announce(
  bus: Bus,
  bucket: string,
  message: LandedMessage,
  { signal, nonce = '' }: { signal?: AbortSignal; nonce?: string } = {},
): Promise<void> {
  // Object metadata is untrusted. Do not publish a message that workers would fail to parse.
  const { key, etag, run, kind, lane, request_id, traceparent } = validate('landedMessage', message);
  const msgID = createHash('sha256')
    .update(JSON.stringify([bucket, key, etag, run, nonce]))
    .digest('base64url');
  await bus.publish(subjects.landed(kind, lane, request_id), message, { msgID, traceparent, ...(signal && { signal }) });
}

/** Returns the metadata that an artifact inherits from its source. @param traceparent Trace context of the attempt. */
export function inheritMetadata(
  landed: LandedMessage,
  traceparent = landed.traceparent,
): Pick<ObjectMetadata, 'run' | 'options' | 'input' | 'traceparent'> {
  const { run, options, input_sha256: input } = landed;
  return { run, options, ...(input !== undefined && { input }), ...(traceparent !== undefined && { traceparent }) };
}
