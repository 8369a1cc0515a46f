import { createHash } from 'node:crypto';
import type { Kind } from '../../schemas/kinds.ts';
import type { LandedMessage } from '../../schemas/generated/types.ts';
import type { Bus } from './connection.ts';
import { requestPrefix } from '../pipeline/keys.ts';
import type { ObjectMetadata } from '../pipeline/metadata.ts';
import type { Indices } from '../pipeline/artifact.ts';
import { laneOf, subjects } from './topology.ts';
import { validate } from '../core/validate.ts';

/** An object that landed, as whoever announces it knows it. */
export interface LandedObject {
  readonly kind: Kind;
  readonly requestId: string;
  /** Below the request's prefix. */
  readonly path: string;
  readonly indices: Indices;
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
  readonly versionId?: string | undefined;
  readonly sequencer?: string | undefined;
}

/** The announcement of an object: what consumers of its kind receive. */
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
 * Announces an object to the stages that consume its kind. Both notification paths, a redelivery and a racing worker
 * announce under one id, so that JetStream keeps one message of them.
 * @throws PermanentError `invalid-landed-message` where the object's own metadata make no valid announcement.
 * @param nonce Makes the announcement a new one although the object is the same: a sweep, a redrive.
 */
export async function announce(
  bus: Bus,
  bucket: string,
  message: LandedMessage,
  { signal, nonce = '' }: { signal?: AbortSignal; nonce?: string } = {},
): Promise<void> {
  // Metadata of an object are whoever's who put it: a message that no worker could read must not be sent.
  const { key, etag, run, kind, lane, request_id, traceparent } = validate('landedMessage', message);
  const msgID = createHash('sha256')
    .update(JSON.stringify([bucket, key, etag, run, nonce]))
    .digest('base64url');
  await bus.publish(subjects.landed(kind, lane, request_id), message, { msgID, traceparent, ...(signal && { signal }) });
}

/** What an artifact made of an announced object carries on from it. @param traceparent Of the work that made it. */
export function inheritMetadata(
  landed: LandedMessage,
  traceparent = landed.traceparent,
): Pick<ObjectMetadata, 'run' | 'options' | 'input' | 'traceparent'> {
  const { run, options, input_sha256: input } = landed;
  return { run, options, ...(input !== undefined && { input }), ...(traceparent !== undefined && { traceparent }) };
}
