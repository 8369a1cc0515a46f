import pRetry from 'p-retry';
import { messageOf, UnavailableError } from '../../core/errors.ts';
import { currentTraceparent, startSpan } from '../../observability/trace.ts';
import type { StoreObserver, StoreOperation, StoreResult } from '../contract.ts';
import { toStoreResult, toStoreError } from './store-errors.ts';

/** Time for which a call without a signal is retried while the store is unavailable, in milliseconds. */
const RETRY_TIMEOUT_MS = 30_000;

type OnTransfer = StoreObserver['onTransfer'];

/** Runs every operation on the store: retries it while the store is unavailable, reports each attempt to the observer, and traces it. */
export type RunOperation = <T>(
  operation: StoreOperation,
  key: string,
  signal: AbortSignal | undefined,
  call: (onTransfer: OnTransfer) => Promise<T>,
) => Promise<T>;

export function createRunOperation(observer: StoreObserver | undefined): RunOperation {
  return async (operation, key, signal, call) => {
    const span = startOperationSpan(operation, key);
    const onTransfer: OnTransfer = (direction, amount) => {
      observer?.onTransfer(direction, amount);
      span.addBytes(amount);
    };
    let lastError: unknown;
    const once = async (): Promise<Awaited<ReturnType<typeof call>>> => {
      const started = performance.now();
      const report = (result: StoreResult): void =>
        observer?.onResponse(operation, result, (performance.now() - started) / 1_000);
      try {
        const value = await call(onTransfer);
        report('ok');
        return value;
      } catch (error) {
        // An aborted attempt does not show the state of the store.
        const fault = signal?.aborted ? error : toStoreError(error, key);
        if (!signal?.aborted || fault instanceof UnavailableError) lastError = fault;
        report(toStoreResult(fault));
        throw fault;
      }
    };
    try {
      const value = await pRetry(once, {
        retries: Infinity,
        minTimeout: 100,
        maxTimeout: 3_000,
        randomize: true,
        ...(signal ? { signal } : { maxRetryTime: RETRY_TIMEOUT_MS }),
        shouldRetry: ({ error }) => error instanceof UnavailableError,
      });
      span.end('ok');
      return value;
    } catch (error) {
      span.end(toStoreResult(lastError ?? error), messageOf(lastError ?? error));
      // A deadline that passed while the store was unavailable is a failure of the store, not of the item.
      if (lastError instanceof UnavailableError) throw lastError;
      signal?.throwIfAborted();
      throw error;
    }
  };
}

/** Results that callers expect, and that are not errors of a span. */
const expectedResults: readonly StoreResult[] = ['ok', 'missing', 'changed'];

/** Starts a span for an operation if its caller is traced. */
function startOperationSpan(
  operation: StoreOperation,
  key: string,
): { addBytes(amount: number): void; end(result: StoreResult, error?: string): void } {
  const parent = currentTraceparent();
  if (parent === undefined) return untraced;
  const span = startSpan(`store ${operation}`, parent, { kind: 'client', attributes: { 'fave.store.key': key } });
  let bytes = 0;
  return {
    addBytes: (amount) => (bytes += amount),
    end: (result, error) => {
      const attributes = { 'fave.store.result': result, 'fave.store.bytes': bytes };
      span.end(attributes, expectedResults.includes(result) ? undefined : error);
    },
  };
}

const untraced = { addBytes: () => undefined, end: () => undefined };
