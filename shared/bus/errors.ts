import { JetStreamApiError } from '@nats-io/jetstream';
import { errors } from 'nats';
import { messageOf, PermanentError, RetryableError, UnavailableError } from '../core/errors.ts';

/** Code of JetStream for a message above the `max_msg_size` of its stream. */
const STREAM_MESSAGE_TOO_LARGE = 10054;

/**
 * Classifies an error of the client library, once for all callers. A message that no retry can publish is permanent. A missing
 * permission is retried, because an operator may grant it. JetStream's refusal of an expected sequence is returned unchanged. Every
 * other error is an outage.
 * @param subject Subject of the message.
 */
export function toBusError(error: unknown, subject: string): JetStreamApiError | PermanentError | RetryableError {
  const cause = error instanceof errors.RequestError ? (error.cause ?? error) : error;
  if (cause instanceof JetStreamApiError) {
    if (isTransient(cause)) return unavailable(cause);
    return cause.apiError().err_code === STREAM_MESSAGE_TOO_LARGE ? refused(subject, cause) : cause;
  }
  // The client refuses a message above the payload limit of the server, and an invalid subject.
  if (cause instanceof errors.InvalidArgumentError || cause instanceof errors.InvalidSubjectError) return refused(subject, cause);
  if (cause instanceof errors.PermissionViolationError)
    return new RetryableError('bus-access-denied', `this NATS user may not publish to ${subject}`, { cause });
  return unavailable(error);
}

/** Returns the error for a server that does not answer. */
export function unavailable(cause: unknown): UnavailableError {
  return new UnavailableError('bus-unavailable', `NATS does not answer (${messageOf(cause)})`, { cause });
}

function refused(subject: string, cause: unknown): PermanentError {
  return new PermanentError('message-refused', `the message on ${subject} cannot be published: ${messageOf(cause)}`, { cause });
}

/** Returns whether a retry may help: the stream is full, or the cluster elects a leader. */
function isTransient(error: JetStreamApiError): boolean {
  const { code, err_code } = error.apiError();
  return code === 503 || err_code === 10077 /* stream full */ || err_code === 10047; /* no space */
}
