import pRetry from 'p-retry';
import { messageOf, UnavailableError } from '../../core/errors.ts';
import { currentTraceparent, startSpan } from '../../observability/trace.ts';
import type { StoreObserver, StoreOperation, StoreResult } from '../contract.ts';
import { resultOf, toStoreError } from './store-errors.ts';

/** Milliseconds that a call without a signal waits for a store that does not answer. */
const PATIENCE = 30_000;

/** Says that content has come or gone. */
export type Moved = StoreObserver['onTransfer'];

/**
 * Does something with an object: the one way that every request about one goes. Repeats what a store that does not answer left
 * undone, tells the observer of each try, and traces the whole.
 */
export type RunOperation = <T>(
  operation: StoreOperation,
  key: string,
  signal: AbortSignal | undefined,
  call: (moved: Moved) => Promise<T>,
) => Promise<T>;

export function createRunOperation(observer: StoreObserver | undefined): RunOperation {
  return async (operation, key, signal, call) => {
    const span = beginSpan(operation, key);
    const moved: Moved = (direction, amount) => {
      observer?.onTransfer(direction, amount);
      span.moved(amount);
    };
    let lastError: unknown;
    const once = async (): Promise<Awaited<ReturnType<typeof call>>> => {
      const begun = performance.now();
      const answered = (result: StoreResult): void =>
        observer?.onResponse(operation, result, (performance.now() - begun) / 1_000);
      try {
        const value = await call(moved);
        answered('ok');
        return value;
      } catch (error) {
        // What comes of breaking a try off says nothing of the store.
        const fault = signal?.aborted ? error : toStoreError(error, key);
        if (!signal?.aborted || fault instanceof UnavailableError) lastError = fault;
        answered(resultOf(fault));
        throw fault;
      }
    };
    try {
      const value = await pRetry(once, {
        retries: Infinity,
        minTimeout: 100,
        maxTimeout: 3_000,
        randomize: true,
        ...(signal ? { signal } : { maxRetryTime: PATIENCE }),
        shouldRetry: ({ error }) => error instanceof UnavailableError,
      });
      span.end('ok');
      return value;
    } catch (error) {
      span.end(resultOf(lastError ?? error), messageOf(lastError ?? error));
      // A deadline that passed while the store was away is the store's fault, not the item's.
      if (lastError instanceof UnavailableError) throw lastError;
      signal?.throwIfAborted();
      throw error;
    }
  };
}

/** Results by which callers find out how things are. */
const answers: readonly StoreResult[] = ['ok', 'missing', 'changed'];

/** The span of an operation, where it is part of work that is traced. */
function beginSpan(
  operation: StoreOperation,
  key: string,
): { moved(amount: number): void; end(result: StoreResult, error?: string): void } {
  const parent = currentTraceparent();
  if (parent === undefined) return untraced;
  const span = startSpan(`store ${operation}`, parent, { kind: 'client', attributes: { 'fave.store.key': key } });
  let bytes = 0;
  return {
    moved: (amount) => (bytes += amount),
    end: (result, error) => {
      const attributes = { 'fave.store.result': result, 'fave.store.bytes': bytes };
      span.end(attributes, answers.includes(result) ? undefined : error);
    },
  };
}

const untraced = { moved: () => undefined, end: () => undefined };
