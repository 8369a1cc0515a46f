/** What an error carries besides its sentence. */
export interface FaultDetails {
  /** The thing that went wrong, below this error. */
  cause?: unknown;
  /** Last lines of the tool's standard error, when a tool failed. */
  stderr?: string;
}

/**
 * A failure with a stable `code` for programs and a sentence for people.
 * `PermanentError` ends the item at once; `RetryableError`, and every error that is neither, is tried again.
 */
export class FaveError extends Error {
  readonly code: string;
  readonly stderr: string | undefined;

  constructor(code: string, message: string, details: FaultDetails = {}) {
    super(message, { cause: details.cause });
    this.name = new.target.name;
    this.code = code;
    this.stderr = details.stderr;
  }
}

/** Trying again cannot help: the input is unreadable, an option is wrong. */
export class PermanentError extends FaveError {}

/** The caller passed an invalid argument. The message states what is expected. */
export class UsageError extends PermanentError {
  constructor(message: string) {
    super('usage', message);
  }
}

/** What was announced is not in the store. Believed only when said again: a node that comes back denies what was written without it. */
export class NotFoundError extends PermanentError {}

/** Trying again may help: a store that answers 503, a tool killed from outside. */
export class RetryableError extends FaveError {}

/** A server that FAVE stands on does not answer. Never the item's fault: the worker waits for it instead of failing the item. */
export class UnavailableError extends RetryableError {}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The stable code of anything thrown; `unexpected` for what is not a {@link FaveError}. */
export function codeOf(error: unknown): string {
  return error instanceof FaveError ? error.code : 'unexpected';
}
