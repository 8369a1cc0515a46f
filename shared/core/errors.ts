import type { ErrorCode } from './error-codes.ts';

export interface ErrorDetails {
  /** The error that caused this one. */
  cause?: unknown;
  /** Last lines of a failed tool's standard error. */
  stderr?: string;
}

/**
 * A failure with a stable `code` for programs (`error-codes.ts`) and a sentence for people.
 * A `PermanentError` ends the item immediately. The item is retried after a `RetryableError` and after any other error.
 */
export class FaveError<Code extends ErrorCode = ErrorCode> extends Error {
  readonly code: Code;
  readonly stderr: string | undefined;

  constructor(code: Code, message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.name = new.target.name;
    this.code = code;
    this.stderr = details.stderr;
  }
}

/** A retry cannot help: the input is unreadable, or an option is wrong. */
export class PermanentError extends FaveError<ErrorCode<'permanent'>> {}

/** The caller passed an invalid argument. The message states the expected form. */
export class UsageError extends PermanentError {
  constructor(message: string) {
    super('usage', message);
  }
}

/** Data from a file, a message or the store violates its schema. */
export class InvalidDataError extends PermanentError {}

/**
 * An announced object is not in the store. The worker retries before it accepts this: a store node that restarts reports
 * objects as missing that were written in its absence.
 */
export class NotFoundError extends PermanentError {}

/** A retry may help: the store answered 503, or a signal killed a tool. */
export class RetryableError<
  Code extends ErrorCode<'retryable' | 'unavailable'> = ErrorCode<'retryable' | 'unavailable'>,
> extends FaveError<Code> {}

/** The store or the bus does not answer. The item is not at fault, so the worker waits for the server and does not fail the item. */
export class UnavailableError extends RetryableError<ErrorCode<'unavailable'>> {}

/** Returns the message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Returns the stable code of any thrown value; `unexpected` if it is not a {@link FaveError}. */
export function codeOf(error: unknown): ErrorCode {
  return error instanceof FaveError ? (error as FaveError).code : 'unexpected';
}
