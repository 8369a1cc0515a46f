import pRetry from 'p-retry';
import { UnavailableError } from '../errors.ts';
import type { StoreObserver, StoreOperation, StoreResult } from './contract.ts';
import { resultOf, translated } from './faults.ts';

/** Milliseconds that a call without a signal waits for a store that does not answer. */
const PATIENCE = 30_000;

/** Says that content has come or gone. */
export type Moved = StoreObserver['moved'];

/**
 * Does something with an object: the one way that every request about one goes. Repeats what a store that does not answer left
 * undone, and tells the observer of each try.
 */
export type Operate = <T>(
  operation: StoreOperation,
  key: string,
  signal: AbortSignal | undefined,
  call: (moved: Moved) => Promise<T>,
) => Promise<T>;

export function operating(observer: StoreObserver | undefined): Operate {
  const moved: Moved = (...content) => observer?.moved(...content);
  return async (operation, key, signal, call) => {
    let lastError: unknown;
    const once = async (): Promise<Awaited<ReturnType<typeof call>>> => {
      const begun = performance.now();
      const answered = (result: StoreResult): void => observer?.answered(operation, result, (performance.now() - begun) / 1_000);
      try {
        const value = await call(moved);
        answered('ok');
        return value;
      } catch (error) {
        lastError = translated(error, key);
        answered(resultOf(lastError));
        throw lastError;
      }
    };
    try {
      return await pRetry(once, {
        retries: Infinity,
        minTimeout: 100,
        maxTimeout: 3_000,
        randomize: true,
        ...(signal ? { signal } : { maxRetryTime: PATIENCE }),
        shouldRetry: ({ error }) => error instanceof UnavailableError,
      });
    } catch (error) {
      // A deadline that passed while the store was away is the store's fault, not the item's.
      if (lastError instanceof UnavailableError) throw lastError;
      signal?.throwIfAborted();
      throw error;
    }
  };
}
