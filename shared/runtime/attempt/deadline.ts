import type { Request } from '../../../schemas/generated/types.ts';
import { PermanentError } from '../../core/errors.ts';
import { MAX_TIMEOUT_SECONDS } from '../../pipeline/graph.ts';
import type { Attempt } from './attempt.ts';

/** Time limit of an item: a base in seconds, plus seconds per MB of the request's input. */
const ITEM_TIMEOUT = { baseSeconds: 300, secondsPerMb: 4 };

/**
 * Returns the time limit of an item whose request sets no `item-timeout`, in seconds. The grace period of a worker is as long.
 * @param bytes Size of the request's input.
 */
export const computeItemTimeoutSeconds = (bytes: number): number =>
  Math.min(MAX_TIMEOUT_SECONDS, ITEM_TIMEOUT.baseSeconds + Math.ceil((ITEM_TIMEOUT.secondsPerMb * bytes) / 1e6));

/**
 * Runs `use` and aborts the attempt with `item-timeout` if it takes too long. The request is read only after the base of the
 * time limit, so most items do not need it.
 */
export async function withDeadline<T>(
  { landed, abort }: Pick<Attempt, 'landed' | 'abort'>,
  readRequest: () => Promise<Request>,
  use: () => Promise<T>,
): Promise<T> {
  // The options of an artifact come from the object's metadata, which is untrusted.
  const requested = Math.min(MAX_TIMEOUT_SECONDS, Number(landed.options['item-timeout'] ?? 0));
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;

  const arm = (seconds: number, onTimeout: () => void): void => {
    if (!isOver) timer = setTimeout(onTimeout, seconds * 1_000);
  };
  const expire = (limit: number) => (): void => {
    const message = `the work on ${landed.key} took longer than ${limit} s; increase the option item-timeout`;
    abort.abort(new PermanentError('item-timeout', message));
  };
  const extend = (): void => {
    readRequest().then(({ input }) => {
      const limit = computeItemTimeoutSeconds(input.size);
      arm(limit - ITEM_TIMEOUT.baseSeconds, expire(limit));
    }, expire(ITEM_TIMEOUT.baseSeconds));
  };

  if (requested > 0) arm(requested, expire(requested));
  else arm(ITEM_TIMEOUT.baseSeconds, extend);
  try {
    return await use();
  } finally {
    isOver = true;
    clearTimeout(timer);
  }
}
